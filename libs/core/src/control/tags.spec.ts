import { createTestMq, InMemoryStore, ManualClock, type TestMq } from '@millrace/testing';
import { HandlerRuns } from '../../test/handler-runs.js';
import type { MqEventMap } from '../events.js';

const TOPIC = 'orders';

interface Started {
  readonly test: TestMq;
  readonly runs: HandlerRuns;
  readonly differ: MqEventMap['tags-differ'][];
}

describe.each(['concurrent', 'ordered'] as const)('processes of one group with different tags (%s)', (mode) => {
  let clock: ManualClock;
  let store: InMemoryStore;
  let started: Started[];

  beforeEach(() => {
    clock = new ManualClock();
    store = new InMemoryStore({ clock });
    started = [];
  });
  afterEach(async () => {
    for (const { runs } of started) runs.endAll();
    const closed = Promise.all(started.map(({ test }) => test.mq.close()));
    await clock.advance(60_000);
    await closed;
  });

  const start = async (...tags: string[]): Promise<Started> => {
    const one = { test: createTestMq({ clock, store }), runs: new HandlerRuns(), differ: [] as Started['differ'] };
    started.push(one);
    for (const each of tags) one.test.mq.listen({ topic: TOPIC, group: 'billing', mode, tags: each }, one.runs.handler);
    one.test.mq.events.on('tags-differ', (event) => one.differ.push(event));
    await one.test.mq.start();
    await clock.advance(0);
    return one;
  };
  const send = async (...tags: string[]): Promise<void> => {
    const { producer } = started[0]!.test.mq;
    await producer.sendAll(
      tags.map((tag, index) => ({
        destination: `${TOPIC}:${tag}`,
        body: `${tag}${index}`,
        options: mode === 'ordered' ? { orderingKey: `key-${tag}` } : {},
      })),
    );
  };
  /** Time goes on, and every handler that starts ends at once. */
  const settleDown = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 250) {
      await clock.advance(250);
      for (const { runs } of started) runs.endAll();
    }
    await clock.advance(0);
  };
  /** A shutdown takes time too: for handlers that run, and for what follows from them. */
  const stop = async ({ test }: Started): Promise<void> => {
    const stopped = test.mq.stopConsuming();
    await settleDown(1000);
    await stopped;
  };
  const bodies = (tag?: string): unknown[] =>
    started.flatMap(({ runs }) => runs.bodies).filter((body) => tag === undefined || (body as string).startsWith(tag));
  const stats = async (): Promise<object> => (await started[0]!.test.mq.admin.stats(TOPIC)).groups[0]!;

  it('skip what nobody takes and handle the rest once each, in a process that takes it, uncounted', async () => {
    const a = await start('a');
    const b = await start('b');
    await send('a', 'b', 'c', 'b', 'a', 'c');
    if (mode === 'ordered') {
      // A queue of a process that does not know a tag keeps the key of such a message waiting.
      await settleDown(5000);
      await stop(a);
      await settleDown(5000);
      await stop(b);
      await a.test.mq.start();
    }
    await settleDown(20_000);
    expect(a.runs.bodies.toSorted()).toEqual(['a0', 'a4']);
    expect(b.runs.bodies.toSorted()).toEqual(['b1', 'b3']);
    expect([...a.runs.contexts, ...b.runs.contexts].map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
    expect(await stats()).toMatchObject({ done: 4, skipped: 2, ready: 0, leased: 0, retrying: 0 });
  });

  it('lose nothing while whoever takes a tag is away for less than an hour', async () => {
    const a = await start('a');
    const b = await start('b');
    await stop(b);
    await send('b', 'a', 'b');
    await settleDown(50 * 60_000);
    expect(await stats()).toMatchObject({ skipped: 0 });
    expect(bodies('b')).toEqual([]);
    await b.test.mq.start();
    await settleDown(20_000);
    if (mode === 'ordered') await stop(a);
    await settleDown(20_000);
    expect(bodies('b').toSorted()).toEqual(['b0', 'b2']);
    expect(bodies('a')).toEqual(['a1']);
  });

  it('skip a tag again when nobody has taken it for an hour', async () => {
    await start('a');
    const b = await start('b');
    await stop(b);
    await settleDown(3_601_000);
    await send('b');
    await settleDown(1000);
    expect(await stats()).toMatchObject({ skipped: 1 });
  });

  it('raise `tags-differ` once per change of the sets in each process, with both sets and the names', async () => {
    const a = await start('a', 'c');
    await settleDown(3000);
    expect(a.differ).toEqual([]);
    const b = await start('b');
    await settleDown(5000);
    const names = (await a.test.mq.admin.group(TOPIC, 'billing'))!.members.map(({ name }) => name);
    expect(names).toHaveLength(2);
    for (const { differ } of [a, b]) {
      expect(differ).toHaveLength(1);
      expect(differ[0]).toMatchObject({ topic: TOPIC, group: 'billing' });
      expect(differ[0]!.sets.map(({ tags }) => tags)).toEqual(['a || c', 'b']);
      expect(differ[0]!.sets.flatMap(({ members }) => members).toSorted()).toEqual(names);
    }
    await stop(b);
    await settleDown(3000);
    await start('b', 'd');
    await settleDown(3000);
    expect(a.differ.map(({ sets }) => sets.map(({ tags }) => tags))).toEqual([
      ['a || c', 'b'],
      ['a || c', 'b || d'],
    ]);
  });

  it('of equal sets raise nothing', async () => {
    const a = await start('a', 'b');
    await start('b', 'a');
    await settleDown(5000);
    expect(a.differ).toEqual([]);
  });
});

it('in ordered mode a message of a tag that its owner does not know holds up its own key only, and keeps the order', async () => {
  const clock = new ManualClock();
  const store = new InMemoryStore({ clock });
  const create = (tags: string): { test: TestMq; runs: HandlerRuns } => {
    const one = { test: createTestMq({ clock, store }), runs: new HandlerRuns() };
    one.test.mq.listen({ topic: TOPIC, group: 'g', mode: 'ordered', tags }, one.runs.handler);
    return one;
  };
  const settleDown = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 250) {
      await clock.advance(250);
      for (const { runs } of [older, newer]) runs.endAll();
    }
  };
  // A rolling deploy: the newer version also takes b. It is registered before it has any queue.
  const older = create('a');
  const newer = create('a || b');
  await older.test.mq.start();
  const spec = {
    topic: TOPIC,
    group: 'g',
    mode: 'ordered',
    consumer: 'c',
    leaseMs: 30_000,
    startFrom: 'first',
  } as const;
  await older.test.ports.broker.subscribe({ ...spec, tags: ['a', 'b'] });
  const bodies = ['x1', 'x2', 'x3', 'y1'];
  await older.test.mq.producer.sendAll(
    ['a', 'b', 'a', 'a'].map((tag, index) => ({
      destination: `${TOPIC}:${tag}`,
      body: bodies[index],
      options: { orderingKey: bodies[index]![0] },
    })),
  );
  await settleDown(5000);
  expect(older.runs.bodies.toSorted()).toEqual(['x1', 'y1']);
  await newer.test.mq.start();
  await older.test.mq.stopConsuming();
  await settleDown(20_000);
  expect(newer.runs.bodies).toEqual(['x2', 'x3']);
  expect((await newer.test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 4, skipped: 0 });
  const closed = Promise.all([older.test.mq.close(), newer.test.mq.close()]);
  await clock.advance(60_000);
  await closed;
});
