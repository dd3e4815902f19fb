import type { Adapter } from '../adapters/adapter.js';
import { until } from '../until.js';
import { World, type TestProcess } from '../world.js';

/** No test here lives long enough to see the poller. */
const NEVER_POLLS = '1h';

function send(process: TestProcess, body: unknown): Promise<unknown> {
  return process.outbox.withTransaction(() => process.outbox.send('orders', body));
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

    notified('a notification of another process within 200 ms, without the poller', async () => {
      const web = await world.process({ relay: false });
      const relay = await world.process({ relay: { pollInterval: NEVER_POLLS } });
      relay.relay.start();
      await listening(relay);
      const lateness: number[] = [];
      for (let n = 1; n <= 5; n++) {
        await send(web, n);
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
      await shop.outbox.withTransaction(async () => {
        for (let n = 0; n < 20; n++) await shop.outbox.send('orders', n, n % 2 ? { orderingKey: 'k' } : {});
      });
      // A second transaction's notification comes after all of the first one's: the first call is the new connection's.
      await send(shop, 'last');
      await until('both transactions notified', async () => {
        await shop.sql('select 1');
        return calls >= 3;
      });
      await subscription.close();
      expect(calls).toBe(3);
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
