import type { Adapter } from '../adapters/adapter.js';
import { until } from '../until.js';
import { World, type TestProcess } from '../world.js';

export function orderCases(adapter: Adapter): void {
  describe('order per key', () => {
    let world: World;
    let shop: TestProcess;

    beforeEach(async () => {
      world = new World(adapter);
      shop = await world.process();
    });
    afterEach(() => world.close());

    it('who writes second commits second: a later row of a key waits for the transaction of the earlier one', async () => {
      let second: Promise<unknown> | undefined;
      await shop.outbox.withTransaction(async () => {
        await shop.outbox.send('orders', 'first', { orderingKey: 'k' });
        second = shop.open.ownTransaction((tx) => shop.outbox.send('orders', 'second', { orderingKey: 'k', tx }));
        await until('the second writer waits', async () => {
          return adapter.server.isWaiting((text, values) => shop.sql(text, values), `%${world.prefix}outbox%`);
        });
        await shop.drain();
        expect(world.broker.asked).toEqual([]);
      });
      await second;
      await shop.drain();
      expect(world.broker.bodies()).toEqual(['first', 'second']);
    });

    it.each([
      ['another key', { orderingKey: 'other' }, 'orders'],
      ['the same key of another topic', { orderingKey: 'k' }, 'shipments'],
      ['no key', {}, 'orders'],
    ])('%s does not wait', async (_, options, topic) => {
      await shop.outbox.withTransaction(async () => {
        await shop.outbox.send('orders', 'open', { orderingKey: 'k' });
        await shop.open.ownTransaction((tx) => shop.outbox.send(topic, 'free', { ...options, tx }));
        await shop.drain();
        expect(world.broker.bodies()).toEqual(['free']);
      });
    });

    it('messages of a key leave in commit order under concurrent committers and three relays', async () => {
      const keys = ['a', 'b', 'c', 'd'];
      const log = `${world.prefix}log`;
      await shop.sql(`create table ${log} (n serial primary key, lane varchar(10), id varchar(40))`);
      await shop.sql(`create table ${log}_lock (lane varchar(10) primary key)`);
      await shop.sql(`insert into ${log}_lock values ($1), ($2), ($3), ($4)`, keys);
      const processes = [shop, await world.process(), await world.process()];
      for (const process of processes) process.relay.start();
      // The message is written first; who gets the row of the key afterwards, and so commits first, is left to chance.
      const write = (process: TestProcess, key: string) =>
        process.outbox.withTransaction(async (tx) => {
          const { messageId } = await process.outbox.send('orders', key, { orderingKey: key });
          await process.run(tx, `select 1 from ${log}_lock where lane = $1 for update`, [key]);
          await process.run(tx, `insert into ${log} (lane, id) values ($1, $2)`, [key, messageId]);
        });
      const writers = Array.from({ length: 12 }, async (_, writer) => {
        for (let n = 0; n < 15; n++) await write(processes[writer % 3]!, keys[(writer + n) % 4]!);
      });
      await Promise.all(writers);
      await world.broker.whenStored(180);
      const committed = await shop.sql<{ lane: string; id: string }>(`select lane, id from ${log} order by n`);
      await shop.sql(`drop table ${log}, ${log}_lock`);
      for (const key of keys) {
        const left = world.broker.stored.filter(({ body }) => body === key).map(({ options }) => options?.messageId);
        expect(left).toEqual(committed.filter(({ lane }) => lane === key).map(({ id }) => id));
      }
      expect(world.broker.asked).toHaveLength(180);
    }, 60_000);

    it('a message goes only after the one before it is confirmed, and keys do not wait for each other', async () => {
      const batches: unknown[][] = [];
      const sendAll = world.broker.sendAll.bind(world.broker);
      world.broker.sendAll = (requests) => {
        batches.push(requests.map(({ body }) => body));
        return sendAll(requests);
      };
      await shop.outbox.withTransaction(async () => {
        for (const body of ['a1', 'a2', 'b1', 'a3', 'b2'])
          await shop.outbox.send('orders', body, { orderingKey: body[0] });
      });
      await shop.drain();
      // Keys of different partitions may need more than one pass; inside a batch there is never the same key twice.
      for (const batch of batches) expect(new Set(batch.map((body) => String(body)[0])).size).toBe(batch.length);
      expect(batches.flat().filter((body) => String(body).startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
      expect(batches).toHaveLength(3);
    });
  });
}
