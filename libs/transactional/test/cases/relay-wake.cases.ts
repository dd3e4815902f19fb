import type { Adapter } from '../adapters/adapter.js';
import { until } from '../until.js';
import { World, type TestProcess } from '../world.js';

/** No test here lives long enough to see the poller. */
const NEVER_POLLS = '1h';

function send(process: TestProcess, body: unknown): Promise<unknown> {
  return process.outbox.withTransaction(() => process.outbox.send('orders', body));
}

/** In a transaction whose end the outbox does not see. */
function sendUnheard(process: TestProcess, body: unknown): Promise<unknown> {
  return process.open.ownTransaction((tx) => process.outbox.send('orders', body, { tx }));
}

function note(list: string[], text: string): void {
  if (text.includes('pg_notify')) list.push(text);
}

/** Statements that ask for a notification, in transactions and outside of them. */
function notifications(process: TestProcess): { inside: string[]; outside: string[] } {
  const { database } = process.open;
  const found = { inside: [] as string[], outside: [] as string[] };
  const executor = database.executor.bind(database);
  database.executor = (tx) => {
    const sql = executor(tx);
    return { query: (text, values) => (note(found.inside, text), sql.query(text, values)) };
  };
  const query = database.query.bind(database);
  database.query = (text, values) => (note(found.outside, text), query(text, values));
  return found;
}

function listening(process: TestProcess): Promise<void> {
  return until('listening', async () => {
    await process.sql('select 1');
    return process.relay.health().listening;
  });
}

export function wakeCases(adapter: Adapter): void {
  // MariaDB has no notifications: there the poller finds what other processes commit.
  const notified = adapter.server.dialect === 'postgresql' ? it : it.skip;
  describe('what wakes the relay', () => {
    let world: World;

    beforeEach(() => (world = new World(adapter)));
    afterEach(() => world.close());

    it('a commit in the same process, right after it', async () => {
      const shop = await world.process({ relay: { pollInterval: NEVER_POLLS, listen: false } });
      shop.relay.start();
      await shop.relay.runOnce();
      await send(shop, 1);
      await world.broker.whenStored(1);
      expect(world.broker.bodies()).toEqual([1]);
    });

    const told = adapter.server.dialect === 'postgresql' ? it.each : it.skip.each;
    told([
      ['behind a commit that it made', send],
      ['in a commit that it did not see', sendUnheard],
    ])('a notification of another process within 200 ms, without the poller, %s', async (_, write) => {
      const web = await world.process({ relay: false });
      const relay = await world.process({ relay: { pollInterval: NEVER_POLLS } });
      relay.relay.start();
      await listening(relay);
      const lateness: number[] = [];
      for (let n = 1; n <= 5; n++) {
        await write(web, n);
        const committed = performance.now();
        await world.broker.whenStored(n);
        lateness.push(performance.now() - committed);
      }
      // The middle one: a busy test machine may steal some time now and then.
      expect(lateness.toSorted((a, b) => a - b)[2]).toBeLessThan(200);
    });

    it('the poller, where there is no notification', async () => {
      const web = await world.process({ relay: false });
      const relay = await world.process({ relay: { pollInterval: '10ms', listen: false } });
      relay.relay.start();
      await send(web, 1);
      await world.broker.whenStored(1);
      expect(world.broker.bodies()).toEqual([1]);
    });

    notified('a new connection after the old one was lost, for what was missed', async () => {
      const web = await world.process({ relay: false });
      const relay = await world.process({ relay: { pollInterval: NEVER_POLLS } });
      relay.relay.start();
      await listening(relay);
      const kill = `select pg_terminate_backend(pid) from pg_stat_activity where query = $1`;
      expect(await web.sql(kill, [`listen ${world.prefix}outbox`])).toHaveLength(1);
      await send(web, 1);
      await world.broker.whenStored(1);
      expect(world.broker.bodies()).toEqual([1]);
    });

    notified('one notification per transaction is enough for many messages', async () => {
      const shop = await world.process();
      let calls = 0;
      const subscription = shop.open.database.listen!(`${world.prefix}outbox`, () => calls++);
      await until('listening', async () => {
        await shop.sql('select 1');
        return subscription.connected;
      });
      await shop.open.ownTransaction(async (tx) => {
        for (let n = 0; n < 20; n++) await shop.outbox.send('orders', n, n % 2 ? { orderingKey: 'k', tx } : { tx });
        await shop.outbox.sendAll([{ destination: 'orders', body: 'list' }], { tx });
        await shop.outbox.cancel('orders', { messageId: 'x' }, { tx });
      });
      // A second transaction's notification comes after all of the first one's: the first call is the new connection's.
      await sendUnheard(shop, 'last');
      await until('both transactions notified', async () => {
        await shop.sql('select 1');
        return calls >= 3;
      });
      await subscription.close();
      expect(calls).toBe(3);
    });

    it.each([
      ['by default', {}, 3, 1],
      ['with notify: false', { notify: false }, 0, 0],
    ])(
      '%s a process without a relay asks for notifications in commits it does not see, and behind its own',
      async (_, options, inside, outside) => {
        const web = await world.process({ relay: false, ...options });
        const asked = notifications(web);
        await web.outbox.withTransaction(async () => {
          await web.outbox.send('orders', 1);
          await web.outbox.sendAll([{ destination: 'orders', body: 2, options: { orderingKey: 'k' } }]);
          await web.outbox.cancel('orders', { messageId: 'x' });
        });
        await web.stop();
        const count = adapter.server.dialect === 'postgresql' ? 1 : 0;
        expect(asked.inside).toHaveLength(0);
        expect(asked.outside).toHaveLength(outside * count);
        await web.open.ownTransaction(async (tx) => {
          await web.outbox.send('orders', 1, { tx });
          await web.outbox.sendAll([{ destination: 'orders', body: 2, options: { orderingKey: 'k' } }], { tx });
          await web.outbox.cancel('orders', { messageId: 'x' }, { tx });
        });
        await web.stop();
        expect(asked.inside).toHaveLength(inside * count);
        expect(asked.outside).toHaveLength(outside * count);
      },
    );

    it('a process that relays asks for none in its own commits: it looks itself', async () => {
      const shop = await world.process({ relay: { pollInterval: NEVER_POLLS, listen: false } });
      const asked = notifications(shop);
      shop.relay.start();
      await send(shop, 1);
      await world.broker.whenStored(1);
      expect(asked).toEqual({ inside: [], outside: [] });
    });

    notified('nothing after stop, and its connection is gone', async () => {
      const shop = await world.process({ relay: { pollInterval: '10ms' } });
      shop.relay.start();
      await listening(shop);
      await shop.relay.stop();
      expect(shop.relay.health()).toMatchObject({ running: false, listening: false });
      const left = `select 1 from pg_stat_activity where query = $1`;
      await until(
        'the connection is gone',
        async () => (await shop.sql(left, [`listen ${world.prefix}outbox`])).length === 0,
      );
    });
  });
}
