import { BrokerRefusedError, IdempotencyConflictError, InvalidOptionError, SendUnknownError } from '@millrace/core';
import { randomBytes } from 'node:crypto';
import type { Adapter } from '../adapters/adapter.js';
import { World, type TestProcess } from '../world.js';
import { tableNames } from '../../src/database/table-names.js';
import { partitionOf, PARTITIONS } from '../../src/outbox/outbox-row.js';
import { mysqlStores } from '../../src/mysql/mysql-stores.js';
import { postgresStores } from '../../src/postgres/postgres-stores.js';
import type { RelayStore } from '../../src/relay/relay-store.js';

const OUTAGE = new BrokerRefusedError('loading', 'MQ_UNAVAILABLE');
const REFUSAL = new BrokerRefusedError('WRONGTYPE', 'MQ_REFUSED');

export function relayCases(adapter: Adapter): void {
  describe('the relay', () => {
    let world: World;
    let shop: TestProcess;

    beforeEach(async () => {
      world = new World(adapter);
      shop = await world.process();
    });
    afterEach(() => world.close());

    const send = (body: unknown, options = {}) =>
      shop.outbox.withTransaction(() => shop.outbox.send('orders', body, options));
    const rows = () =>
      shop.sql<{ id: string; state: string; attempts: number; last_error: string | null }>(
        `select id, state, attempts, last_error from ${world.prefix}outbox order by seq`,
      );
    const { server } = adapter;
    const relayStore = (): RelayStore =>
      (server.dialect === 'mysql' ? mysqlStores : postgresStores)(tableNames(world.prefix)).relay;
    const asked = () => world.broker.asked.map(({ body }) => body);

    const refuse = (...bodies: unknown[]): void => {
      world.broker.refuse = ({ body }) => (bodies.includes(body) ? REFUSAL : undefined);
    };

    describe('a crash between send and mark', () => {
      it('does not double the message when the answer was lost', async () => {
        const { messageId } = await send('once');
        world.broker.loseNextAnswer = new SendUnknownError(messageId, async () => undefined);
        await expect(shop.drain()).rejects.toMatchObject({ code: 'MQ_SEND_UNKNOWN' });
        expect(await rows()).toMatchObject([{ state: 'pending', attempts: 0 }]);
        await shop.drain();
        expect(asked()).toEqual(['once', 'once']);
        expect(world.broker.bodies()).toEqual(['once']);
        expect(await rows()).toEqual([]);
      });

      it.each([{}, { orderingKey: 'lane' }])(
        'does not double it when the connection to the database was lost (%j)',
        async (options) => {
          await send('once', options);
          const hold = world.broker.hold();
          const connections = transactionsOf(shop);
          const crashed = shop.relay.runOnce();
          await hold.reached;
          await shop.sql(server.kill(connections.at(-1)!));
          hold.release();
          await crashed;
          // Not of this realm when it comes from a socket.
          expect(shop.relay.health().lastError).toMatchObject({ message: expect.any(String) });
          expect(world.broker.bodies()).toEqual(['once']);
          await shop.drain();
          expect(asked()).toEqual(['once', 'once']);
          expect(world.broker.bodies()).toEqual(['once']);
          expect(await rows()).toEqual([]);
        },
      );
    });

    describe('an outage of the broker', () => {
      it('counts for no row and is reported', async () => {
        await send(1);
        await send(2, { orderingKey: 'lane' });
        world.broker.refuse = () => OUTAGE;
        const reported = shop.events.next('loop-error');
        await expect(shop.drain()).rejects.toBe(OUTAGE);
        expect(await reported).toEqual({ loop: 'outbox-relay', error: OUTAGE });
        expect(await rows()).toMatchObject([
          { state: 'pending', attempts: 0 },
          { state: 'pending', attempts: 0 },
        ]);
        world.broker.refuse = () => undefined;
        await shop.drain();
        expect(new Set(world.broker.bodies())).toEqual(new Set([1, 2]));
      });

      it('of a part of the broker keeps what the other part has stored', async () => {
        await send('there');
        await send('away');
        world.broker.refuse = ({ body }) => (body === 'away' ? OUTAGE : undefined);
        await expect(shop.drain()).rejects.toBe(OUTAGE);
        expect(await rows()).toMatchObject([{ state: 'pending', attempts: 0 }]);
        world.broker.refuse = () => undefined;
        await shop.drain();
        expect(asked()).toEqual(['there', 'away', 'away']);
      });

      it('an error that explains nothing does not park rows while nothing gets through', async () => {
        await send(1);
        world.broker.refuse = () => new TypeError('socket?');
        for (let pass = 0; pass < 12; pass++) await expect(shop.drain()).rejects.toThrow('socket?');
        expect(await rows()).toMatchObject([{ state: 'pending', attempts: 0 }]);
      });
    });

    describe('a message that the broker refuses', () => {
      it('is tried again, then parked with its error, and blocks nobody', async () => {
        await send('bad');
        await send('good');
        refuse('bad');
        await shop.drain();
        expect(asked().filter((body) => body === 'bad')).toHaveLength(10);
        expect(world.broker.bodies()).toEqual(['good']);
        expect(await rows()).toMatchObject([{ state: 'parked', attempts: 10, last_error: 'MQ_REFUSED: WRONGTYPE' }]);
        expect(shop.parked).toEqual([{ messageId: expect.any(String), topic: 'orders', error: REFUSAL }]);
        await shop.drain();
        expect(asked()).toHaveLength(11);
      });

      it('waits for its back-off before it is tried again', async () => {
        const patient = await world.process({ relay: { pollInterval: '1h', backoff: '1h', maxBackoff: '1h' } });
        await send('bad');
        refuse('bad');
        await patient.drain();
        await patient.drain();
        expect(asked()).toEqual(['bad']);
      });

      it('blocks only its own ordering key, also between passes and when parked', async () => {
        for (const n of [1, 2]) for (const key of ['a', 'b']) await send(`${key}${n}`, { orderingKey: key });
        await send('free');
        refuse('a1');
        await shop.drain();
        expect(new Set(world.broker.bodies())).toEqual(new Set(['b1', 'b2', 'free']));
        expect(asked()).not.toContain('a2');
        await send('a3', { orderingKey: 'a' });
        await shop.drain();
        expect(asked()).not.toContain('a3');
        expect(await shop.admin.parked()).toMatchObject([
          { orderingKey: 'a', attempts: 10, error: 'MQ_REFUSED: WRONGTYPE' },
        ]);
      });

      it('goes on in order when an operator resumes it', async () => {
        const { messageId } = await send(1, { orderingKey: 'a' });
        await send(2, { orderingKey: 'a' });
        refuse(1);
        await shop.drain();
        world.broker.refuse = () => undefined;
        expect(await shop.admin.resume([messageId, 'unknown'])).toEqual([messageId]);
        await shop.drain();
        expect(world.broker.bodies()).toEqual([1, 2]);
        expect(await rows()).toEqual([]);
      });

      it('frees its key when an operator discards it', async () => {
        const { messageId } = await send(1, { orderingKey: 'a' });
        const follower = await send(2, { orderingKey: 'a' });
        refuse(1);
        await shop.drain();
        expect(await shop.admin.discard([messageId, follower.messageId])).toEqual([messageId]);
        await shop.drain();
        expect(world.broker.bodies()).toEqual([2]);
      });

      it('as bad input, which refuses a whole batch, is found and stands alone', async () => {
        for (const body of [1, 'bad', 2]) await send(body);
        const sendAll = world.broker.sendAll.bind(world.broker);
        world.broker.sendAll = async (requests) => {
          if (requests.some(({ body }) => body === 'bad'))
            throw new InvalidOptionError('send.delay', '400d', 'too far for its topic');
          return sendAll(requests);
        };
        await shop.drain();
        expect(world.broker.bodies()).toEqual([1, 2]);
        expect(await rows()).toMatchObject([
          { state: 'parked', last_error: expect.stringContaining('MQ_INVALID_OPTION') },
        ]);
      });

      it('because its envelope is of a newer version is parked, not lost', async () => {
        await send(1);
        await shop.sql(`update ${world.prefix}outbox set meta = '{"v":99,"at":0}'`);
        await shop.drain();
        expect(await rows()).toMatchObject([
          { state: 'parked', last_error: expect.stringContaining('MQ_UNDECODABLE') },
        ]);
      });

      it('with an error text that SQL cannot hold is still counted', async () => {
        const { messageId } = await send(1);
        world.broker.refuse = () => new IdempotencyConflictError('orders', `a\0${'x'.repeat(5000)}`, messageId);
        await shop.drain();
        expect(await rows()).toMatchObject([{ state: 'parked', attempts: 10 }]);
      });
    });

    describe('several relays', () => {
      it('do not send a row twice', async () => {
        const relays = [shop, await world.process(), await world.process()];
        await shop.outbox.withTransaction(async () => {
          for (let n = 0; n < 600; n++) await shop.outbox.send('orders', n, n % 2 ? { orderingKey: `k${n % 20}` } : {});
        });
        await Promise.all(relays.map((process) => process.drain()));
        await shop.drain();
        expect(asked()).toHaveLength(600);
        expect(new Set(asked()).size).toBe(600);
      });

      it('pass rows that another holds, and go on with the others', async () => {
        const other = await world.process();
        await send('held');
        const hold = world.broker.hold();
        const holding = shop.relay.runOnce();
        await hold.reached;
        await send('free');
        await other.drain();
        expect(world.broker.bodies()).toEqual(['free']);
        hold.release();
        await holding;
        expect(asked()).toEqual(['free', 'held']);
      });

      it('leave a partition to the one that leases it', async () => {
        const other = await world.process();
        await send(1, { orderingKey: 'a' });
        const hold = world.broker.hold();
        const holding = shop.relay.runOnce();
        await hold.reached;
        await send(2, { orderingKey: 'a' });
        await other.drain();
        expect(asked()).toEqual([]);
        const store = relayStore();
        const { database } = other.open;
        expect(await database.transaction((tx) => store.leasePartitions(database.executor(tx), 8))).toEqual([]);
        hold.release();
        await holding;
        await other.drain();
        expect(world.broker.bodies()).toEqual([1, 2]);
      });
    });

    it('a relay leases eight partitions at a time and leaves the others', async () => {
      const keys = Array.from({ length: 200 }, (_, n) => `key ${n}`);
      expect(new Set(keys.map((key) => partitionOf('orders', key))).size).toBe(PARTITIONS);
      await shop.outbox.withTransaction(async () => {
        for (const orderingKey of keys) await shop.outbox.send('orders', orderingKey, { orderingKey });
      });
      const hold = world.broker.hold();
      const holding = shop.relay.runOnce();
      await hold.reached;
      const { database } = shop.open;
      const left = await database.transaction((tx) => relayStore().leasePartitions(database.executor(tx), PARTITIONS));
      expect(left).toHaveLength(PARTITIONS - 8);
      hold.release();
      await holding;
      await shop.drain();
      expect(new Set(world.broker.bodies())).toEqual(new Set(keys));
    });

    describe('keeping and cleaning', () => {
      it('a sent row is kept for keepSent, then cleaned', async () => {
        const keeping = await world.process({ relay: { keepSent: '1h' } });
        await send('kept');
        await keeping.drain();
        await keeping.cleaner.runOnce();
        expect(await rows()).toMatchObject([{ state: 'sent' }]);
        await keeping.drain();
        expect(asked()).toEqual(['kept']);
        await shop.sql(`update ${world.prefix}outbox set sent_at = ${server.earlier('sent_at', 3660)}`);
        await keeping.cleaner.runOnce();
        expect(await rows()).toEqual([]);
      });

      it('inbox records are cleaned after their retention', async () => {
        for (const [key, days] of [
          ['old', 16],
          ['young', 14],
        ] as const) {
          const then = server.earlier(server.now, days * 86_400);
          await shop.sql(`insert into ${world.prefix}inbox values ('g', 't', $1, 'id', ${then})`, [key]);
        }
        await shop.cleaner.runOnce();
        expect(await shop.sql(`select message_key from ${world.prefix}inbox`)).toEqual([{ message_key: 'young' }]);
      });
    });

    it('the status tells backlog, oldest age, parked rows and cancellations', async () => {
      expect(await shop.admin.status()).toMatchObject({ pending: 0, parked: 0, cancelling: 0, oldestAgeMs: undefined });
      await send('bad', { orderingKey: 'a' });
      world.broker.refuse = () => REFUSAL;
      await shop.drain();
      await send('blocked', { orderingKey: 'a' });
      await send('free');
      await shop.sql(
        `update ${world.prefix}outbox set created_at = ${server.earlier('created_at', 3600)}
       where state = 'pending' and aggregateid = 'a'`,
      );
      await shop.outbox.withTransaction(() => shop.outbox.cancel('orders', { messageId: 'gone' }));
      const status = await shop.admin.status();
      expect(status).toMatchObject({
        pending: 2,
        parked: 1,
        cancelling: 1,
        relay: { running: false, listening: false },
      });
      expect(status.oldestAgeMs).toBeGreaterThanOrEqual(3_600_000);
      expect(status.oldestAgeMs).toBeLessThan(3_660_000);
    });

    it('a batch ends before its bodies fill the memory', async () => {
      const body = randomBytes(3 * 1024 * 1024);
      for (let n = 0; n < 8; n++) await send(body);
      const sizes: number[] = [];
      const sendAll = world.broker.sendAll.bind(world.broker);
      world.broker.sendAll = (requests) => {
        sizes.push(requests.length);
        return sendAll(requests);
      };
      await shop.drain();
      expect(sizes).toEqual([6, 2]);
    });

    it('stop waits for the running pass, and what it sent is marked', async () => {
      await send(1);
      const hold = world.broker.hold();
      shop.relay.start();
      await hold.reached;
      let stopped = false;
      const stopping = shop.relay.stop().then(() => (stopped = true));
      await shop.sql('select 1');
      expect(stopped).toBe(false);
      hold.release();
      await stopping;
      expect(await rows()).toEqual([]);
    });

    it('its transactions read what is committed now, and end when the process freezes, whatever the defaults are', async () => {
      const store = relayStore();
      const { open } = await world.process({}, '-c default_transaction_isolation=serializable');
      const seen = (begin: boolean) =>
        open.database.transaction(async (tx) => {
          const sql = open.database.executor(tx);
          if (begin) await store.begin(sql);
          const settings = await sql.query(server.settings);
          if (begin) await store.end?.(sql);
          return settings;
        });
      expect(await seen(true)).toEqual([server.ofRelays]);
      expect(await seen(false)).toEqual([server.ofOthers]);
    });
  });
}

/** Names the connection of each transaction that the process begins from now on. */
function transactionsOf(process: TestProcess): string[] {
  const connections: string[] = [];
  const { database } = process.open;
  const begin = database.transaction.bind(database);
  database.transaction = (fn) =>
    begin(async (tx) => {
      const [row] = await database.executor(tx).query<{ id: unknown }>(process.server.connection);
      connections.push(String(row!.id));
      return fn(tx);
    });
  return connections;
}
