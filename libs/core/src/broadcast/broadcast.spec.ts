import { createTestMq, InMemoryStore, ManualClock, type TestMq } from '@millrace/testing';
import { HandlerRuns } from '../../test/handler-runs.js';
import { deadLetter, handBack } from '../consumer/outcome.js';
import type { ListenerOptions } from '../consumer/listener-options.js';
import type { MqEventMap } from '../events.js';
import type { TopicOptions } from '../topic.js';

const TOPIC = 'prices';
const GROUP = 'cache';

interface Instance {
  readonly test: TestMq;
  readonly runs: HandlerRuns;
  readonly gaps: MqEventMap['gap'][];
  /** Entries that its reads have brought. */
  readonly read: { entries: number };
}

describe('broadcast', () => {
  let clock: ManualClock;
  let store: InMemoryStore;
  let instances: Instance[];

  beforeEach(() => {
    clock = new ManualClock();
    store = new InMemoryStore({ clock });
    instances = [];
  });
  afterEach(() => stop(...instances.splice(0)));

  /** One more process on the store. */
  const begin = async (
    options: Partial<ListenerOptions> = {},
    topic: Omit<TopicOptions, 'topic'> = {},
  ): Promise<Instance> => {
    const test = createTestMq({ clock, store });
    const instance: Instance = { test, runs: new HandlerRuns(), gaps: [], read: countRead(test) };
    instances.push(instance);
    test.mq.declareTopic({ topic: TOPIC, ...topic });
    test.mq.listen({ topic: TOPIC, group: GROUP, mode: 'broadcast', ...options }, instance.runs.handler);
    test.mq.events.on('gap', (gap) => instance.gaps.push(gap));
    await test.mq.start();
    await clock.advance(0);
    return instance;
  };
  /** Handlers that still wait would hold the shutdown until its time is over, on a clock that stands still. */
  const stop = async (...some: Instance[]): Promise<void> => {
    const closed = Promise.all(some.map(({ test }) => test.mq.close()));
    await clock.advance(60_000);
    await closed;
  };
  const send = async ({ test }: Instance, ...bodies: unknown[]): Promise<void> => {
    await test.mq.producer.sendAll(bodies.map((body) => ({ destination: TOPIC, body })));
    await clock.advance(0);
  };
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

  it('I14: gives every live instance every message, and no group anything to do', async () => {
    const all = [await begin(), await begin(), await begin()];
    await send(all[0]!, 1, 2);
    for (const { runs } of all) {
      expect(runs.bodies.toSorted()).toEqual([1, 2]);
      expect(runs.contexts[0]).toMatchObject({ topic: TOPIC, group: GROUP, attempt: 1, crashes: 0 });
      runs.endAll();
    }
    await clock.advance(60_000);
    for (const { runs } of all) expect(runs.contexts).toHaveLength(2);
    expect((await all[0]!.test.mq.admin.stats(TOPIC)).groups).toEqual([]);
  });

  it('begins with what is sent after the start, or with the first message kept when told so', async () => {
    const early = await begin();
    await send(early, 'before');
    const [late, old] = [await begin(), await begin({ startFrom: 'first' })];
    await send(early, 'after');
    expect(late.runs.bodies).toEqual(['after']);
    expect(old.runs.bodies.toSorted()).toEqual(['after', 'before']);
  });

  it('hands a message only to a listener whose tags match', async () => {
    const one = await begin({ tags: 'up || down' });
    const skipped = one.test.mq.events.next('skipped');
    await one.test.mq.producer.send(`${TOPIC}:same`, 1);
    await one.test.mq.producer.send(`${TOPIC}:up`, 2);
    await clock.advance(0);
    expect(one.runs.bodies).toEqual([2]);
    expect(await skipped).toMatchObject({ topic: TOPIC, group: GROUP });
  });

  it('reports what it handled as every mode does', async () => {
    const one = await begin();
    const done = one.test.mq.events.next('done');
    await send(one, 1);
    one.runs.end(0);
    expect(await done).toMatchObject({ topic: TOPIC, group: GROUP, attempt: 1 });
  });

  it('runs a failed message again in the instance that it failed in, after 1 s, 2 s, 4 s, with its story', async () => {
    const [one, other] = [await begin(), await begin()];
    await send(one, 1);
    other.runs.end(0);
    for (const [index, seconds] of [1, 2, 4].entries()) {
      one.runs.fail(index, new TypeError(`failure ${index + 1}`));
      await clock.advance(seconds * 1000 - 1);
      expect(one.runs.contexts).toHaveLength(index + 1);
      await clock.advance(1);
      expect(one.runs.contexts).toHaveLength(index + 2);
    }
    expect(one.runs.contexts[3]).toMatchObject({ attempt: 4, failures: [{ text: 'failure 1' }, {}, {}] });
    expect(other.runs.contexts).toHaveLength(1);
  });

  it('keeps no message waiting behind those that wait for their next attempt', async () => {
    const one = await begin({ concurrency: 1, prefetch: 0 });
    await send(one, ...numbers(50));
    for (const index of numbers(50)) {
      expect(one.runs.contexts).toHaveLength(index + 1);
      one.runs.fail(index);
      await clock.advance(0);
    }
    expect(one.runs.most).toBe(1);
  });

  it('gives a message up after its last attempt, and says so once, with every failure', async () => {
    const one = await begin({ maxAttempts: 2, backoff: { type: 'fixed', delay: '1s' } });
    const reports: MqEventMap['broadcast-failed'][] = [];
    one.test.mq.events.on('broadcast-failed', (report) => reports.push(report));
    const deadLetters: unknown[] = [];
    one.test.mq.events.on('dead-letter', (letter) => deadLetters.push(letter));
    await send(one, 1);
    one.runs.fail(0, new TypeError('first'));
    await clock.advance(1000);
    const last = new TypeError('second');
    one.runs.fail(1, last);
    await clock.advance(600_000);
    expect(reports).toMatchObject([
      { topic: TOPIC, group: GROUP, attempt: 2, reason: 'attempts-exhausted', text: 'second', error: last },
    ]);
    expect(reports[0]!.failures.map(({ text }) => text)).toEqual(['first', 'second']);
    expect(one.runs.contexts).toHaveLength(2);
    expect(deadLetters).toEqual([]);
  });

  it('reports at once what the listener rejects, and brings again what it hands back, uncounted', async () => {
    const one = await begin();
    const failed = one.test.mq.events.next('broadcast-failed');
    await send(one, 1);
    one.runs.end(0, handBack('5s'));
    await clock.advance(5000);
    expect(one.runs.contexts[1]).toMatchObject({ attempt: 1 });
    one.runs.end(1, deadLetter('of no use'));
    expect(await failed).toMatchObject({ reason: 'rejected', text: 'of no use' });
  });

  it('aborts a handler at its time-out, and runs the message again', async () => {
    const one = await begin({ timeout: '1s' });
    await send(one, 1);
    await clock.advance(1000);
    expect(one.runs.contexts[0]!.signal.reason).toMatchObject({ code: 'MQ_HANDLER_TIMEOUT' });
    await clock.advance(5000 + 1000);
    expect(one.runs.contexts[1]).toMatchObject({ attempt: 2 });
  });

  it('reads no more than concurrency and prefetch ahead of its handlers', async () => {
    const one = await begin({ concurrency: 3, prefetch: 2 }, { queues: 1 });
    await send(one, ...numbers(100));
    expect(one.runs.running).toBe(3);
    expect(one.read.entries).toBeLessThanOrEqual(5);
    expect(one.read.entries).toBeGreaterThanOrEqual(3);
  });

  it('gets a delayed message when it is due', async () => {
    const one = await begin();
    await one.test.mq.producer.send(TOPIC, 1, { delay: '30s' });
    await clock.advance(29_999);
    expect(one.runs.bodies).toEqual([]);
    await clock.advance(1);
    expect(one.runs.bodies).toEqual([1]);
  });

  it('reports how many messages of a queue were trimmed before it could read them, and reads on', async () => {
    const one = await begin({ concurrency: 1, prefetch: 0 }, { queues: 1, retention: '1s', retentionCount: 10 });
    await send(one, ...numbers(100));
    await clock.advance(30_000);
    one.runs.end(0);
    await clock.advance(0);
    expect(one.gaps).toEqual([{ topic: TOPIC, group: GROUP, queue: 0, missed: 99 }]);
    await send(one, 'next');
    expect(one.runs.bodies).toEqual([0, 'next']);
  });

  it('goes on after reads that failed, and misses and doubles nothing', async () => {
    const one = await begin();
    const { faults } = one.test.ports;
    const failed = one.test.mq.events.next('loop-error');
    faults.failNext('broadcast.read');
    faults.loseReply('broadcast.read');
    await send(one, 1);
    expect(await failed).toMatchObject({ loop: `broadcast ${TOPIC}/${GROUP} shard 0` });
    await clock.advance(60_000);
    await send(one, 2);
    expect(one.runs.bodies.toSorted()).toEqual([1, 2]);
  });

  it('shows its reading in health', async () => {
    const one = await begin();
    expect(one.test.mq.health()).toContainEqual(
      expect.objectContaining({ loop: `broadcast ${TOPIC}/${GROUP} shard 0` }),
    );
  });

  it('waits for running handlers when it stops, starts no further one, and aborts them when the time is over', async () => {
    const one = await begin({ concurrency: 1 });
    await send(one, 1, 2);
    const stopped = one.test.mq.stopConsuming();
    await clock.advance(29_000);
    expect(one.runs.contexts[0]!.signal.aborted).toBe(false);
    await clock.advance(10_000);
    await stopped;
    expect(one.runs.contexts[0]!.signal.reason).toMatchObject({ code: 'MQ_CLOSED' });
    expect(one.runs.contexts).toHaveLength(1);
  });

  it('ends a stop at once when all that is left waits for its next attempt', async () => {
    const one = await begin();
    await send(one, 1);
    one.runs.fail(0);
    await clock.advance(0);
    await one.test.mq.stopConsuming();
    await clock.advance(60_000);
    expect(one.runs.contexts).toHaveLength(1);
  });

  it('a named instance that was stopped goes on where it was: what it had not finished comes again', async () => {
    const name = { instance: 'pod-1', concurrency: 1, prefetch: 10 };
    const first = await begin(name, { queues: 1 });
    await send(first, 'done', 'running', 'waiting');
    first.runs.end(0);
    await clock.advance(0);
    await stop(first);
    const other = await begin({ instance: 'pod-2' });
    await send(other, 'meanwhile');
    const second = await begin({ ...name, concurrency: 20 });
    expect(second.runs.bodies).toEqual(['running', 'waiting', 'meanwhile']);
    expect(second.gaps).toEqual([]);
  });

  it('a named instance that was killed loses nothing that it had not finished', async () => {
    const name = { instance: 'pod-1' };
    const first = await begin(name, { queues: 1 });
    await send(first, 'done', 'running', 'done too');
    first.runs.end(0);
    first.runs.end(2);
    // Its places are kept; then nobody hears of it again.
    await clock.advance(2000);
    const second = await begin(name);
    expect(second.runs.bodies).toEqual(['running', 'done too']);
  });

  it('what a named instance skipped or gave up does not come again', async () => {
    const name = { instance: 'pod-1', tags: 'up', maxAttempts: 1 };
    const first = await begin(name, { queues: 1 });
    const failed = first.test.mq.events.next('broadcast-failed');
    await send(first, 'skipped');
    await first.test.mq.producer.send(`${TOPIC}:up`, 'given up');
    await clock.advance(0);
    first.runs.fail(0);
    await failed;
    await stop(first);
    const second = await begin({ ...name, tags: '*' });
    expect(second.runs.bodies).toEqual([]);
  });

  it('does not run a message whose time to live was over before there was room for it', async () => {
    const one = await begin({ concurrency: 1 }, { ttl: '10s', queues: 1 });
    const failed = one.test.mq.events.next('broadcast-failed');
    await send(one, 1, 2);
    await clock.advance(10_001);
    one.runs.end(0);
    expect(await failed).toMatchObject({ reason: 'expired' });
    expect(one.runs.bodies).toEqual([1]);
  });

  it('keeps its place again after a keep that failed', async () => {
    const first = await begin({ instance: 'pod-1' }, { queues: 1 });
    const failed = first.test.mq.events.next('loop-error');
    first.test.ports.faults.failNext('broadcast.keep');
    await send(first, 1);
    first.runs.end(0);
    await clock.advance(2000);
    expect(await failed).toMatchObject({ loop: `keep places ${TOPIC}/${GROUP}` });
    await clock.advance(10_000);
    const second = await begin({ instance: 'pod-1' });
    expect(second.runs.bodies).toEqual([]);
  });
});

function countRead({ ports }: TestMq): { entries: number } {
  const reads = { entries: 0 };
  const { broadcast } = ports;
  const read = broadcast.read.bind(broadcast);
  Object.defineProperty(ports, 'broadcast', {
    value: new Proxy(broadcast, {
      get: (target, name, receiver) => {
        if (name !== 'read') return Reflect.get(target, name, receiver) as unknown;
        return async (...call: Parameters<typeof read>) => {
          const page = await read(...call);
          reads.entries += page.entries.length;
          return page;
        };
      },
    }),
  });
  return reads;
}
