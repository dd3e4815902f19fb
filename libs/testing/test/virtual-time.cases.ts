// What moves with the clock, promised alike by the in-memory broker and by a real Redis in virtual time.
import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../src/manual-clock.js';
import { createTestMq, type TestMq, type TestMqOptions } from '../src/mq-testing.js';

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000];
const TOPIC = 'orders';
/** RocketMQ's ladder from its third level on, in s. */
const LADDER = [10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];

/** @param place what makes test Mqs share their messages */
export function describeVirtualTime(where: string, place: (clock: ManualClock) => TestMqOptions): void {
  describe(`virtual time (${where})`, () => {
    const opened: TestMq[] = [];
    const open = (options: TestMqOptions): TestMq => {
      const test = createTestMq(options);
      opened.push(test);
      return test;
    };
    /** Processes that share messages; each on the clock unless it has one of its own. */
    const processes = (): ((own?: TestMqOptions) => TestMq) => {
      const clock = new ManualClock();
      const shared = { ...place(clock), clock };
      return (own = {}) => open({ ...shared, ...own });
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((test) => test.close()));
    });

    it('goes up a retry ladder of 4 h 45 min at exact instants', async () => {
      const { mq, clock, drain, deadLetters } = processes()();
      const triedAt: number[] = [];
      mq.listen({ topic: TOPIC, group: 'billing' }, async () => {
        triedAt.push(clock.monotonic() / SECOND);
        throw new TypeError('no price');
      });
      await mq.start();
      await mq.producer.send(TOPIC, { id: 1 });
      await clock.advance(5 * HOUR);
      await drain();
      const instants = [0, ...LADDER].map((_, step) => LADDER.slice(0, step).reduce((sum, wait) => sum + wait, 0));
      expect(triedAt).toEqual(instants);
      expect(instants.at(-1)).toBe((4 * HOUR + 45 * MINUTE + 40 * SECOND) / SECOND);
      const [letter] = await deadLetters(TOPIC, 'billing');
      expect(letter).toMatchObject({ reason: 'attempts-exhausted', state: { attempt: 17 } });
      expect(letter!.deadAt.getTime()).toBe(clock.now() - (5 * HOUR - instants.at(-1)! * SECOND));
    });

    it('delivers by delay level 18 after two hours, and not a millisecond before', async () => {
      const { mq, clock, drain } = processes()();
      const handledAt: number[] = [];
      mq.listen({ topic: TOPIC, group: 'billing' }, async () => handledAt.push(clock.monotonic()));
      await mq.start();
      await mq.producer.send(TOPIC, 1, { delayLevel: 18 });
      await clock.advance(2 * HOUR - 1);
      await drain();
      expect(handledAt).toEqual([]);
      await clock.advance(HOUR);
      expect(handledAt).toEqual([2 * HOUR]);
    });

    it('takes an idempotency key for a duplicate until its window is over', async () => {
      const { mq, clock, sent } = processes()();
      const send = async (): Promise<boolean> => (await mq.producer.send(TOPIC, 1, { idempotencyKey: 'k' })).duplicate;
      expect(await send()).toBe(false);
      await clock.advance(24 * HOUR - 1);
      expect(await send()).toBe(true);
      await clock.advance(1);
      expect(await send()).toBe(false);
      expect(sent(TOPIC)).toHaveLength(2);
    });

    it('lets a message expire that nobody was there for in its time to live', async () => {
      const { mq, clock, drain, deadLetters } = processes()();
      const handled: unknown[] = [];
      mq.listen({ topic: TOPIC, group: 'billing' }, async ({ message }) => handled.push(message.body));
      await mq.producer.send(TOPIC, 'short', { ttl: '1m' });
      await mq.producer.send(TOPIC, 'long', { ttl: '2m' });
      await clock.advance(MINUTE + 1);
      await mq.start();
      await drain();
      expect(handled).toEqual(['long']);
      expect(await deadLetters(TOPIC, 'billing')).toMatchObject([{ reason: 'expired', message: { body: 'short' } }]);
    });

    it('gives what a frozen process held to another one when the lease is over, and counts the crash', async () => {
      const start = processes();
      const frozen = start({ clock: new ManualClock() });
      const options = { topic: TOPIC, group: 'billing', lease: '30s' } as const;
      frozen.mq.listen(options, () => new Promise(() => {}));
      await frozen.mq.start();
      await frozen.mq.producer.send(TOPIC, 1);
      await frozen.clock.settle();
      const alive = start();
      const seen: unknown[] = [];
      alive.mq.listen(options, async ({ crashes, attempt }) =>
        seen.push({ crashes, attempt, at: alive.clock.monotonic() }),
      );
      await alive.mq.start();
      await alive.clock.advance(30 * SECOND - 1);
      expect(seen).toEqual([]);
      await alive.clock.advance(5 * SECOND + 1);
      await alive.drain();
      expect(seen).toMatchObject([{ crashes: 1, attempt: 1 }]);
      void frozen.mq.stopConsuming();
      await frozen.clock.advance(HOUR);
    });

    it('ends the pause of a group at the instant that was named', async () => {
      const { mq, clock, ports } = processes()();
      const handledAt: number[] = [];
      mq.listen({ topic: TOPIC, group: 'billing' }, async () => handledAt.push(clock.monotonic()));
      await mq.start();
      const until = new Date(clock.now() + 90 * MINUTE);
      await ports.admin.pause(TOPIC, { group: 'billing', until, by: 'ana', why: 'the bank is closed' });
      await clock.advance(2 * SECOND);
      await mq.producer.send(TOPIC, 1);
      await clock.advance(90 * MINUTE - 2 * SECOND - 1);
      await clock.settle();
      expect(handledAt).toEqual([]);
      await clock.advance(HOUR);
      expect(handledAt).toEqual([90 * MINUTE]);
    });

    it('starts handlers as often as a rate limit allows, by the clock', async () => {
      const { mq, clock } = processes()();
      let started = 0;
      mq.listen({ topic: TOPIC, group: 'billing', rateLimit: { max: 6, per: '1m' } }, async () => void started++);
      await mq.start();
      await mq.producer.sendAll(Array.from({ length: 20 }, (_, body) => ({ destination: TOPIC, body })));
      await clock.advance(MINUTE);
      expect(started).toBeGreaterThanOrEqual(5);
      expect(started).toBeLessThanOrEqual(7);
      await clock.advance(2 * MINUTE);
      expect(started).toBeGreaterThanOrEqual(16);
      expect(started).toBeLessThanOrEqual(19);
    });

    it('keeps the order of a key in an ordered group over hours of failures', async () => {
      const { mq, clock, drain } = processes()();
      const handled: unknown[] = [];
      mq.listen(
        { topic: TOPIC, group: 'ledger', mode: 'ordered', backoff: { type: 'fixed', delay: '1h' } },
        async ({ message, attempt }) => {
          if (message.body === 'a1' && attempt < 4) throw new Error('not yet');
          handled.push([message.body, clock.monotonic()]);
        },
      );
      await mq.start();
      await clock.advance(0);
      for (const body of ['a1', 'b1', 'a2']) await mq.producer.send(TOPIC, body, { orderingKey: body[0]! });
      await clock.advance(4 * HOUR);
      await drain();
      expect(handled).toEqual([
        ['b1', 0],
        ['a1', 3 * HOUR],
        ['a2', 3 * HOUR],
      ]);
    });

    it('sends a recurring message at each of its times, by the clocks of its place', async () => {
      const { mq, clock, drain } = processes()();
      const handledAt: number[] = [];
      mq.listen({ topic: 'reports', group: 'builder' }, async () => handledAt.push(clock.monotonic() / HOUR));
      await mq.start();
      await mq.schedules.upsert('nightly', { topic: 'reports', cron: '0 3 * * *', timeZone: 'Europe/Berlin' });
      await clock.advance(72 * HOUR);
      await drain();
      expect(handledAt).toEqual([2, 26, 50]);
    });

    it('moves delays, retries, leases, dedup windows, rate limits and recurring messages together', async () => {
      const start = processes();
      const frozen = start({ clock: new ManualClock() });
      frozen.mq.listen({ topic: 'leased', group: 'g', lease: '3m' }, () => new Promise(() => {}));
      await frozen.mq.start();
      await frozen.mq.producer.send('leased', 1);
      await frozen.clock.settle();

      const { mq, clock } = start({ topics: [{ topic: 'once', idempotencyWindow: '10m' }] });
      const seen: [string, number][] = [];
      const note = (what: string): void => void seen.push([what, clock.monotonic() / MINUTE]);
      let [takenOverAt, started] = [0, 0];
      mq.listen({ topic: 'leased', group: 'g', lease: '3m' }, async () => void (takenOverAt = clock.monotonic()));
      mq.listen({ topic: 'delayed', group: 'g' }, async () => note('delay'));
      mq.listen({ topic: 'retried', group: 'g', backoff: { type: 'fixed', delay: '4m' } }, async ({ attempt }) => {
        note('retry');
        if (attempt < 3) throw new Error('not yet');
      });
      mq.listen({ topic: 'limited', group: 'g', rateLimit: { max: 6, per: '5m' } }, async () => void started++);
      mq.listen({ topic: 'reports', group: 'g' }, async () => note('tick'));
      await mq.start();
      await mq.schedules.upsert('often', { topic: 'reports', cron: '*/5 * * * *' });
      await mq.producer.send('delayed', 1, { delay: '7m' });
      await mq.producer.send('retried', 1);
      await mq.producer.sendAll(Array.from({ length: 30 }, (_, body) => ({ destination: 'limited', body })));
      const isDuplicate = async (): Promise<boolean> =>
        (await mq.producer.send('once', 1, { idempotencyKey: 'k' })).duplicate;
      const answers = [await isDuplicate()];
      for (const ms of [10 * MINUTE - 1, 1]) {
        await clock.advance(ms);
        answers.push(await isDuplicate());
      }
      expect(answers).toEqual([false, true, false]);
      expect(seen).toEqual([
        ['retry', 0],
        ['retry', 4],
        ['tick', 5],
        ['delay', 7],
        ['retry', 8],
        ['tick', 10],
      ]);
      expect(Math.floor(takenOverAt / MINUTE)).toBe(3);
      expect(started).toBeGreaterThanOrEqual(11);
      expect(started).toBeLessThanOrEqual(13);
      void frozen.mq.stopConsuming();
      await frozen.clock.advance(HOUR);
    });

    it('delivers what a handler sends on with a delay at its own instant', async () => {
      const { mq, clock, drain } = processes()();
      const handledAt: number[] = [];
      mq.listen({ topic: TOPIC, group: 'billing' }, async () => {
        await mq.producer.send('reminders', 1, { delay: '45m' });
      });
      mq.listen({ topic: 'reminders', group: 'mail' }, async () => handledAt.push(clock.monotonic()));
      await mq.start();
      await mq.producer.send(TOPIC, 1, { delay: '30m' });
      await clock.advance(3 * HOUR);
      await drain();
      expect(handledAt).toEqual([75 * MINUTE]);
    });
  });
}
