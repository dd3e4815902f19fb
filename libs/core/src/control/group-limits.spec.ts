import { createTestMq, InMemoryStore, ManualClock, type TestMq } from '@millrace/testing';
import { HandlerRuns } from '../../test/handler-runs.js';
import type { ListenerOptions } from '../consumer/listener-options.js';

const TOPIC = 'orders';

interface Started {
  readonly test: TestMq;
  readonly runs: HandlerRuns;
}

describe.each(['concurrent', 'ordered'] as const)('limits of a group over all its processes (%s)', (mode) => {
  let clock: ManualClock;
  let store: InMemoryStore;
  let all: Started[];

  beforeEach(() => {
    clock = new ManualClock();
    store = new InMemoryStore({ clock });
    all = [];
  });
  afterEach(async () => {
    for (const { runs } of all) runs.endAll();
    const closed = Promise.all(all.map(({ test }) => test.mq.close()));
    await pass(40_000, 500);
    await closed;
  });

  const start = async (options: Partial<ListenerOptions>): Promise<Started> => {
    const one = {
      test: createTestMq({ clock, store, topics: [{ topic: TOPIC, queues: 12 }] }),
      runs: new HandlerRuns(),
    };
    all.push(one);
    one.test.mq.listen({ topic: TOPIC, group: 'g', mode, ...options }, one.runs.handler);
    await one.test.mq.start();
    await clock.advance(0);
    return one;
  };
  const send = async (count: number): Promise<void> => {
    const options = (index: number): object => (mode === 'ordered' ? { orderingKey: `k${index}` } : {});
    await all[0]!.test.mq.producer.sendAll(
      Array.from({ length: count }, (_, index) => ({ destination: TOPIC, body: index, options: options(index) })),
    );
  };
  /** Time goes on; handlers that run end at each step. */
  const pass = async (ms: number, step = 10): Promise<void> => {
    for (let left = ms; left > 0; left -= step) {
      await clock.advance(step);
      for (const { runs } of all) runs.endAll();
    }
  };
  const starts = (): number => all.reduce((sum, { runs }) => sum + runs.contexts.length, 0);
  const running = (): number => all.reduce((sum, { runs }) => sum + runs.running, 0);

  it('start 50 a second in three processes together, evenly, and 200 a second after a change at run time', async () => {
    const rateLimit = { max: 50, per: '1s' };
    for (let process = 0; process < 3; process++) await start({ rateLimit });
    await send(3000);
    await pass(2000);
    const before = starts();
    await pass(4000);
    expect((starts() - before) / 4).toBeGreaterThanOrEqual(45);
    expect((starts() - before) / 4).toBeLessThanOrEqual(55);
    await all[0]!.test.mq.admin.setLimits(TOPIC, 'g', { rateLimit: { max: 200, per: '1s' } });
    await pass(1500);
    const changed = starts();
    await pass(3000);
    expect((starts() - changed) / 3).toBeGreaterThanOrEqual(180);
    expect((starts() - changed) / 3).toBeLessThanOrEqual(220);
    await all[0]!.test.mq.admin.setLimits(TOPIC, 'g', {});
    await pass(1500);
    const back = starts();
    await pass(3000);
    expect((starts() - back) / 3).toBeLessThanOrEqual(55);
  });

  it('cost a few calls a second while there is nothing to book', async () => {
    const { test } = await start({ rateLimit: { max: 2, per: '10s' } });
    await send(50);
    await pass(1000);
    let calls = 0;
    const { bookStarts } = test.ports.control;
    test.ports.control.bookStarts = (...args) => {
      calls++;
      return bookStarts.apply(test.ports.control, args);
    };
    const before = starts();
    await pass(30_000, 50);
    expect(starts() - before).toBe(6);
    expect(calls).toBeLessThanOrEqual(30);
  });

  it('run no more at once than the group may, and every process gets its share', async () => {
    const groupConcurrency = 4;
    await start({ groupConcurrency });
    await start({ groupConcurrency });
    await send(400);
    await clock.advance(3000);
    expect(running()).toBe(4);
    for (let step = 0; step < 60; step++) {
      for (const { runs } of all) runs.endAll();
      await clock.advance(100);
      expect(running()).toBeLessThanOrEqual(4);
    }
    const [one, two] = all.map(({ runs }) => runs.contexts.length);
    expect(Math.min(one!, two!)).toBeGreaterThan(15);
  });

  it('give the slots of a process that is gone to the others, after its lease', async () => {
    const groupConcurrency = 2;
    const dying = await start({ groupConcurrency, lease: '3s' });
    await send(20);
    await clock.advance(1000);
    expect(dying.runs.running).toBe(2);
    const other = await start({ groupConcurrency, lease: '3s' });
    dying.test.ports.faults.failNext('control.holdSlots', new Error('gone'), { times: 1000 });
    dying.test.ports.faults.failNext('control.beat', new Error('gone'), { times: 1000 });
    dying.test.ports.faults.failNext('renew', new Error('gone'), { times: 1000 });
    dying.test.ports.faults.failNext('leases.acquire', new Error('gone'), { times: 1000 });
    await clock.advance(1000);
    expect(other.runs.running).toBe(0);
    await clock.advance(6000);
    expect(other.runs.running).toBe(2);
    dying.test.ports.faults.clear();
  });

  it('hold at once for handlers that run already when the limit is set, and end when it is taken back', async () => {
    const { test, runs } = await start({ concurrency: 10 });
    await send(40);
    await clock.advance(0);
    const before = runs.running;
    expect(before).toBeGreaterThan(4);
    await test.mq.admin.setLimits(TOPIC, 'g', { groupConcurrency: 3 });
    await clock.advance(1500);
    runs.endAll();
    await clock.advance(1500);
    expect(runs.running).toBe(3);
    await test.mq.admin.setLimits(TOPIC, 'g', { groupConcurrency: 'unlimited' });
    await clock.advance(1500);
    expect(runs.running).toBe(10);
  });

  it('do not start what a pause holds back, and lose no start to it', async () => {
    const { test } = await start({ rateLimit: { max: 10, per: '1s' } });
    await send(100);
    await pass(1000);
    await test.mq.admin.pause(TOPIC, { by: 'ana', why: 'x' });
    await pass(1200);
    const before = starts();
    await pass(5000, 100);
    expect(starts()).toBe(before);
    await test.mq.admin.resume(TOPIC);
    await pass(1200);
    const resumed = starts();
    await pass(2000);
    expect((starts() - resumed) / 2).toBeGreaterThanOrEqual(9);
  });
});

it('a message that has crashed twice runs alone under limits too, and is not forgotten', async () => {
  const clock = new ManualClock();
  const test = createTestMq({ clock });
  const runs = new HandlerRuns();
  test.mq.listen({ topic: TOPIC, group: 'g', rateLimit: { max: 10, per: '1s' }, groupConcurrency: 2 }, runs.handler);
  await test.mq.producer.send(TOPIC, 'deadly');
  const spec = {
    topic: TOPIC,
    group: 'g',
    mode: 'concurrent',
    consumer: 'x',
    leaseMs: 30_000,
    startFrom: 'first',
  } as const;
  const subscription = await test.ports.broker.subscribe(spec);
  const [delivery] = await test.ports.broker.receive(subscription, 0, { max: 10, waitMs: 0 });
  const state = { ...delivery!.state, crashes: 2 };
  await test.ports.broker.settle([{ delivery: delivery!, settlement: { type: 'retry', delayMs: 0, state } }]);
  await test.mq.producer.sendAll([1, 2, 3].map((body) => ({ destination: TOPIC, body })));
  await test.mq.start();
  const beside: number[] = [];
  for (let step = 0; step < 40; step++) {
    await clock.advance(100);
    if (runs.bodies.at(-1) === 'deadly') beside.push(runs.running - 1);
    runs.endAll();
  }
  expect(Math.max(...beside)).toBe(0);
  expect(runs.bodies.map(String).toSorted()).toEqual(['1', '2', '3', 'deadly']);
  const closed = test.mq.close();
  await clock.advance(60_000);
  await closed;
});
