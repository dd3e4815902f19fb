import { createTestMq, InMemoryStore, ManualClock, type TestMq } from '@millrace/testing';
import { HandlerRuns } from '../../test/handler-runs.js';
import type { ListenerOptions } from '../consumer/listener-options.js';
import type { MqEventMap } from '../events.js';

const TOPIC = 'orders';
const WHO = { by: 'ana', why: 'bad deploy' };

describe.each(['concurrent', 'ordered'] as const)('a pause (%s)', (mode) => {
  let clock: ManualClock;
  let store: InMemoryStore;
  let test: TestMq;
  let runs: HandlerRuns;
  let opened: TestMq[];

  const start = async (options: Partial<ListenerOptions> = {}): Promise<void> => {
    test = createTestMq({ clock, store });
    opened.push(test);
    test.mq.listen({ topic: TOPIC, group: 'billing', mode, ...options }, runs.handler);
    await test.mq.start();
    await clock.advance(0);
  };
  const send = async (...bodies: unknown[]): Promise<void> => {
    const options = mode === 'ordered' ? { orderingKey: 'k' } : {};
    await test.mq.producer.sendAll(bodies.map((body) => ({ destination: TOPIC, body, options })));
    await clock.advance(0);
  };

  beforeEach(() => {
    clock = new ManualClock();
    store = new InMemoryStore({ clock });
    runs = new HandlerRuns();
    opened = [];
  });
  afterEach(async () => {
    runs.endAll();
    const closed = Promise.all(opened.map(({ mq }) => mq.close()));
    await clock.advance(60_000);
    await closed;
  });

  it('takes effect within about a second: nothing is fetched any more, and what runs finishes', async () => {
    await start();
    await send(1);
    expect(runs.running).toBe(1);
    await test.mq.admin.pause(TOPIC, { group: 'billing', ...WHO });
    await clock.advance(1000);
    await send(2);
    await clock.advance(10_000);
    runs.end(0);
    await clock.advance(10_000);
    expect(runs.bodies).toEqual([1]);
    expect((await test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 1, ready: 1, leased: 0, paused: WHO });
  });

  it('keeps what waits for a place: it does not start, its lease is kept, and after the resume it runs once', async () => {
    await start({ concurrency: 1, prefetch: 1, lease: '3s' });
    const other = new HandlerRuns();
    await send(1, 2);
    await test.mq.admin.pause(TOPIC, WHO);
    await clock.advance(1000);
    runs.end(0);
    await clock.advance(0);
    const second = createTestMq({ clock, store });
    opened.push(second);
    second.mq.listen({ topic: TOPIC, group: 'billing', mode, lease: '3s' }, other.handler);
    await second.mq.start();
    await clock.advance(20_000);
    expect([runs.bodies.length, other.bodies.length]).toEqual([1, 0]);
    await test.mq.admin.resume(TOPIC);
    await clock.advance(5000);
    expect([...runs.bodies, ...other.bodies].toSorted()).toEqual([1, 2]);
    other.endAll();
  });

  it('holds for a process that starts while it is in force, from the first moment on', async () => {
    await start();
    await test.mq.stopConsuming();
    await test.mq.admin.pause(TOPIC, { group: 'billing', ...WHO });
    await send(1);
    await start();
    expect(runs.bodies).toEqual([]);
    expect((await test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ ready: 1, leased: 0 });
    await clock.advance(60_000);
    expect(runs.bodies).toEqual([]);
  });

  it('ends by itself at its time, by the clock of the broker, not at the next beat after it', async () => {
    await start();
    await test.mq.admin.pause(TOPIC, { ...WHO, until: new Date(clock.now() + 90_500) });
    await clock.advance(1500);
    await send(1);
    await clock.advance(88_999);
    expect(runs.bodies).toEqual([]);
    // The clock's fractions of a ms add up.
    await clock.advance(2);
    expect(runs.bodies).toEqual([1]);
  });

  it('of another group changes nothing', async () => {
    await start();
    test.mq.admin.pause(TOPIC, WHO).catch(() => undefined);
    await test.mq.admin.resume(TOPIC);
    const spec = { topic: TOPIC, group: 'other', mode, consumer: 'c', leaseMs: 1000, startFrom: 'first' } as const;
    await test.ports.broker.subscribe(spec);
    await test.mq.admin.pause(TOPIC, { group: 'other', ...WHO });
    await clock.advance(2000);
    await send(1);
    expect(runs.bodies).toEqual([1]);
  });

  it('is told by `paused` with who and why, and its end by `resumed`, each once', async () => {
    await start();
    const told: (MqEventMap['paused'] | MqEventMap['resumed'])[] = [];
    for (const event of ['paused', 'resumed'] as const) test.mq.events.on(event, (of) => told.push(of));
    await test.mq.admin.pause(TOPIC, { group: 'billing', ...WHO });
    await clock.advance(5000);
    const of = { topic: TOPIC, group: 'billing', scope: 'group' };
    expect(told).toEqual([{ ...of, ...WHO, since: expect.any(Date) }]);
    await test.mq.admin.resume(TOPIC, { group: 'billing' });
    await clock.advance(5000);
    expect(told.slice(1)).toEqual([of]);
  });

  it('stays as it is known while the broker cannot be asked', async () => {
    await start();
    await test.mq.admin.pause(TOPIC, WHO);
    await clock.advance(1500);
    test.ports.faults.failNext('control.beat', new Error('down'), { times: 20 });
    await clock.advance(10_000);
    await send(1);
    expect(runs.bodies).toEqual([]);
    await test.mq.admin.resume(TOPIC);
    await clock.advance(30_000);
    expect(runs.bodies).toEqual([1]);
  });

  it('lets a shutdown hand back what waits', async () => {
    await start({ concurrency: 1, prefetch: 5 });
    await send(1, 2, 3);
    await test.mq.admin.pause(TOPIC, WHO);
    await clock.advance(1500);
    runs.end(0);
    await test.mq.stopConsuming();
    expect((await test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject(
      mode === 'ordered' ? { done: 1 } : { done: 1, ready: 2, leased: 0 },
    );
  });
});
