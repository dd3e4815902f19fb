import type { Adapter } from '../adapters/adapter.js';
import { until } from '../until.js';
import { World, type TestProcess } from '../world.js';

const orders = (count: number, options?: object) =>
  Array.from({ length: count }, (_, n) => ({ destination: 'orders', body: n, options }));

const list = (names: string[]) =>
  names.map((orderingKey) => ({ destination: 'orders', body: 1, options: { orderingKey } }));

export function sendAllCases(adapter: Adapter): void {
  describe('outbox.sendAll', () => {
    let world: World;
    let shop: TestProcess;

    beforeEach(async () => {
      world = new World(adapter);
      shop = await world.process();
    });
    afterEach(() => world.close());

    const rows = (): Promise<Record<string, unknown>[]> => shop.sql(`select * from ${world.prefix}outbox order by seq`);

    /** What a transaction of the outbox asks of the database, but for begin and commit. */
    function statements(): string[] {
      const texts: string[] = [];
      const { database } = shop.open;
      const executor = database.executor.bind(database);
      database.executor = (tx) => {
        const sql = executor(tx);
        return { query: (text, values) => (texts.push(text), sql.query(text, values)) };
      };
      return texts;
    }

    it('many messages leave with everything each was given, in the order of the list', async () => {
      const deliverAt = new Date(Date.now() + 3_600_000);
      const requests = [
        { destination: 'orders:created', body: { text: 'ä "quoted", {braced} \\ NULL' } },
        { destination: 'orders', body: null, options: { delay: '30m', keys: ['a,b', '"'] } },
        { destination: 'mails', body: Buffer.from([0, 1, 255]), options: { orderingKey: 'k', idempotencyKey: 'once' } },
        { destination: 'mails', body: 'NULL', options: { deliverAt, headers: { trace: 'x' }, messageId: 'null' } },
      ];
      const sent = await shop.outbox.withTransaction(() => shop.outbox.sendAll(requests));
      expect(sent.map(({ topic }) => topic)).toEqual(['orders', 'orders', 'mails', 'mails']);
      expect((await rows()).map(({ id }) => id)).toEqual(sent.map(({ messageId }) => messageId));
      await shop.drain();
      const arrived = new Map(world.broker.stored.map((request) => [request.options?.messageId, request]));
      for (const [index, { body, options }] of requests.entries()) {
        const { messageId, topic } = sent[index]!;
        const { delay, ...rest } = { delay: undefined, ...options };
        expect(arrived.get(messageId)).toMatchObject({ destination: topic, body, options: { ...rest, messageId } });
        expect(typeof arrived.get(messageId)?.options?.delay).toBe(delay === undefined ? 'undefined' : 'number');
      }
      expect(arrived.get(sent[0]!.messageId)?.options?.tag).toBe('created');
    });

    it.each([1, 2000])('%d messages cost the request one INSERT, a single send too', async (count) => {
      const asked = statements();
      await shop.outbox.withTransaction(() => shop.outbox.sendAll(orders(count, { orderingKey: 'k' })));
      await shop.outbox.withTransaction(() => shop.outbox.send('orders', 1));
      await shop.outbox.withTransaction(() => shop.outbox.send('orders', 1, { orderingKey: 'k', delay: '1s' }));
      const inserts = asked.filter((text) => text.includes('insert into'));
      expect(inserts).toHaveLength(3);
      // MariaDB takes the turns of a list's keys in a statement of its own.
      expect(asked).toHaveLength(adapter.server.dialect === 'mysql' ? 4 : 3);
      for (const text of inserts) expect(text.match(/insert into/gi)).toHaveLength(1);
      expect(await rows()).toHaveLength(count + 2);
    });

    it('an empty list asks nothing, and is refused outside a transaction like any other', async () => {
      const asked = statements();
      expect(await shop.outbox.withTransaction(() => shop.outbox.sendAll([]))).toEqual([]);
      expect(asked).toEqual([]);
      await expect(shop.outbox.sendAll([])).rejects.toMatchObject({ code: 'MQ_NO_TRANSACTION' });
      await expect(shop.outbox.sendAll(orders(2))).rejects.toMatchObject({ code: 'MQ_NO_TRANSACTION' });
      expect(await rows()).toEqual([]);
    });

    it('none of them leaves when the transaction rolls back', async () => {
      const failing = shop.open.ownTransaction(async (tx) => {
        await shop.outbox.sendAll(orders(3), { tx });
        throw new Error('out of stock');
      });
      await expect(failing).rejects.toThrow('out of stock');
      await shop.open.ownTransaction((tx) => shop.outbox.sendAll(orders(1), { tx }));
      await shop.drain();
      expect(world.broker.bodies()).toEqual([0]);
    });

    const halfMiB = 'x'.repeat(512 * 1024);
    it.each<[string, unknown, string]>([
      ['what is no list', { destination: 'orders', body: 1 }, 'sendAll'],
      ['what is no request', [{ destination: 'orders', body: 1 }, 'orders'], 'sendAll'],
      ['an option beside the options', [{ destination: 'orders', body: 1, delay: '1s' }], 'sendAll.delay'],
      ['a bad message among good ones', [...orders(3), { destination: 'no spaces', body: 1 }], 'destination'],
      ['a body over 4 MiB', [...orders(1), { destination: 'orders', body: Buffer.alloc(4 * 1024 * 1024 + 1) }], 'body'],
      ['headers over 32 KiB', orders(1, { headers: { big: halfMiB } }), 'send.headers'],
      ['more than 10,000 messages', orders(10_001), 'sendAll'],
    ])('%s is refused before anything is stored, and the transaction stays usable', async (_, requests, option) => {
      await shop.outbox.withTransaction(async () => {
        await expect(shop.outbox.sendAll(requests as [])).rejects.toMatchObject({
          code: 'MQ_INVALID_OPTION',
          option: expect.stringContaining(option),
        });
        await shop.outbox.send('orders', 'after');
      });
      expect(await rows()).toHaveLength(1);
    });

    it('the keys of a list keep commit order with other transactions that write them', async () => {
      let second: Promise<unknown> | undefined;
      const both = [{ orderingKey: 'b' }, { orderingKey: 'a' }];
      await shop.outbox.withTransaction(async () => {
        await shop.outbox.send('orders', 'first', { orderingKey: 'a' });
        second = shop.open.ownTransaction((tx) =>
          shop.outbox.sendAll(
            both.map((options) => ({ destination: 'orders', body: 'second', options })),
            { tx },
          ),
        );
        await until('the list waits for one of its keys', async () => {
          return adapter.server.isWaiting((text, values) => shop.sql(text, values), `%${world.prefix}outbox%`);
        });
        await shop.drain();
        expect(world.broker.asked).toEqual([]);
      });
      await second;
      await shop.drain();
      const ofA = world.broker.stored.filter(({ options }) => options?.orderingKey === 'a');
      expect(ofA.map(({ body }) => body)).toEqual(['first', 'second']);
      expect(world.broker.stored).toHaveLength(3);
    });

    it('lists that name the same keys in another order do not end each other as deadlocks', async () => {
      const keys = Array.from({ length: 40 }, (_, n) => `key ${n}`);
      const writing = Array.from({ length: 24 }, (_, n) =>
        shop.outbox.withTransaction(() => shop.outbox.sendAll(list(n % 2 === 0 ? keys : keys.toReversed()))),
      );
      await Promise.all(writing);
      expect(await rows()).toHaveLength(24 * 40);
    });
  });
}
