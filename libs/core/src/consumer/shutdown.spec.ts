import { createTestMq, InMemoryStore, ManualClock, type TestMq } from '@millrace/testing';
import { HandlerRuns } from '../../test/handler-runs.js';
import { BrokerRefusedError, ClosedError } from '../errors.js';

const LISTENER = { topic: 'orders', group: 'billing', concurrency: 2, prefetch: 2 } as const;

describe('shutdown', () => {
  let clock: ManualClock;
  let store: InMemoryStore;
  let test: TestMq;
  let runs: HandlerRuns;
  let released: number[];
  let opened: TestMq[];

  const open = async (handler = runs.handler): Promise<TestMq> => {
    const opening = createTestMq({ clock, store, shutdownTimeout: '30s' });
    opened.push(opening);
    opening.mq.listen(LISTENER, handler);
    await opening.mq.start();
    return opening;
  };
  const stats = async (): Promise<unknown> => (await test.mq.admin.stats('orders')).groups[0];

  beforeEach(async () => {
    clock = new ManualClock();
    store = new InMemoryStore({ clock });
    runs = new HandlerRuns();
    [released, opened] = [[], []];
    test = await open();
    test.mq.events.on('released', ({ attempt }) => released.push(attempt));
    await test.mq.producer.sendAll([1, 2, 3, 4, 5].map((body) => ({ destination: 'orders', body })));
    await clock.advance(0);
  });
  afterEach(async () => {
    runs.endAll();
    const closed = opened.map(({ mq }) => mq.close());
    await clock.advance(60_000);
    await Promise.all(closed);
  });

  it('hands back at once what has not started, uncounted', async () => {
    void test.mq.stopConsuming();
    await clock.advance(0);
    expect(released).toEqual([1, 1]);
    expect(await stats()).toMatchObject({ leased: 2, ready: 3 });
    const others = new HandlerRuns();
    await open(others.handler);
    await clock.advance(0);
    expect(others.contexts).toMatchObject([
      { attempt: 1, crashes: 0 },
      { attempt: 1, crashes: 0 },
    ]);
  });

  it('waits for running handlers, keeping their leases, and settles what they say', async () => {
    let hasStopped = false;
    const stopped = test.mq.stopConsuming().then(() => (hasStopped = true));
    await clock.advance(29_000);
    expect(hasStopped).toBe(false);
    runs.end(0);
    runs.end(1);
    await stopped;
    expect(await stats()).toMatchObject({ done: 2, leased: 0, ready: 3 });
  });

  it('starts nothing more when a running handler ends', async () => {
    void test.mq.stopConsuming();
    runs.end(0);
    await clock.advance(0);
    expect(runs.contexts).toHaveLength(2);
  });

  it('aborts what still runs when the time is over and hands its message back, uncounted', async () => {
    const { signal } = runs.contexts[0]!;
    const stopped = test.mq.stopConsuming();
    await clock.advance(29_999);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    await stopped;
    expect(signal.reason).toBeInstanceOf(ClosedError);
    expect(await stats()).toMatchObject({ leased: 0, ready: 5, done: 0 });
    runs.end(0);
    runs.fail(1);
    await clock.advance(0);
    expect(await stats()).toMatchObject({ leased: 0, ready: 5, done: 0, retrying: 0 });
  });

  it('hands back what a read brings that was under way', async () => {
    test.ports.faults.delayNext('receive', 1000);
    runs.end(0);
    runs.end(1);
    await clock.advance(0);
    expect(await stats()).toMatchObject({ leased: 2, ready: 1 });
    void test.mq.stopConsuming();
    await clock.advance(1000);
    expect(released).toEqual([1]);
    expect(await stats()).toMatchObject({ leased: 2, ready: 1 });
  });

  it('does not wait for ever for a broker that does not answer', async () => {
    runs.endAll();
    await clock.advance(0);
    runs.endAll();
    await clock.advance(0);
    test.ports.faults.delayNext('settle', 10_000_000, { times: 10 });
    test.ports.faults.delayNext('receive', 10_000_000, { times: 10 });
    runs.endAll();
    await clock.advance(0);
    const stopped = test.mq.stopConsuming();
    await clock.advance(40_000);
    await expect(stopped).resolves.toBeUndefined();
  });

  it('ends the tries to settle with the shutdown time', async () => {
    const errors: unknown[] = [];
    test.mq.events.on('loop-error', ({ error }) => errors.push(error));
    test.ports.faults.failNext('settle', new BrokerRefusedError('x', 'MQ_UNAVAILABLE'), { times: 1000 });
    runs.endAll();
    const stopped = test.mq.stopConsuming();
    await clock.advance(35_000);
    await stopped;
    const count = errors.length;
    await clock.advance(60_000);
    expect(count).toBeGreaterThan(5);
    expect(errors).toHaveLength(count);
  });

  it('leaves the producer usable until close', async () => {
    const closed = test.mq.close();
    await test.mq.producer.send('orders', 'from a draining handler');
    runs.endAll();
    await closed;
    await expect(test.mq.producer.send('orders', 'too late')).rejects.toThrow(ClosedError);
  });

  it('can be followed by a new start', async () => {
    const stopped = test.mq.stopConsuming();
    runs.endAll();
    await stopped;
    await test.mq.start();
    await clock.advance(0);
    expect(runs.contexts).toHaveLength(4);
  });

  it('leaves no timer behind', async () => {
    runs.endAll();
    await clock.advance(0);
    runs.endAll();
    await clock.advance(0);
    runs.endAll();
    await test.mq.close();
    expect(clock.waiting).toBe(0);
  });
});
