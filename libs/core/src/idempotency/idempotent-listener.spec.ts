import { jest } from '@jest/globals';
import { HandlerRuns } from '../../test/handler-runs.js';
import { Processes } from '../../test/processes.js';
import { connectInMemory, createTestMq, InMemoryStore, ManualClock, type TestMq } from '@millrace/testing';
import type { ListenerOptions } from '../consumer/listener-options.js';
import { deadLetter, handBack, retryLater } from '../consumer/outcome.js';
import { BrokerRefusedError, InvalidOptionError } from '../errors.js';
import type { MqEventMap, MqEventName } from '../events.js';
import type { Middleware } from '../consumer/mq-context.js';
import { Mq } from '../mq.js';

const TOPIC = 'orders';
const LEASE_MS = 3000;

interface Shop {
  readonly test: TestMq;
  readonly runs: HandlerRuns;
  seen<E extends MqEventName>(event: E): MqEventMap[E][];
}

describe('an idempotent listener', () => {
  let opened: TestMq[];
  beforeEach(() => void (opened = []));
  afterEach(() => Promise.all(opened.map(({ mq }) => mq.close())));

  async function shop(
    options: Partial<ListenerOptions> = {},
    given: Parameters<typeof createTestMq>[0] = {},
  ): Promise<Shop> {
    const test = createTestMq(given);
    opened.push(test);
    const runs = new HandlerRuns();
    const events: [string, unknown][] = [];
    for (const name of ['done', 'duplicate', 'claim-lost', 'released', 'loop-error', 'dead-letter'] as const)
      test.mq.events.on(name, (payload) => events.push([name, payload]));
    const listener = { topic: TOPIC, group: 'billing', lease: LEASE_MS, idempotent: true, ...options };
    test.mq.listen(listener, runs.handler);
    await test.mq.start();
    return {
      test,
      runs,
      seen: <E extends MqEventName>(event: E) =>
        events.filter(([name]) => name === event).map(([, payload]) => payload as MqEventMap[E]),
    };
  }

  const byOrder: Partial<ListenerOptions> = {
    idempotent: { key: ({ body }) => (body as { order: string }).order },
  };

  it('runs once for two messages with one key; the second is acked, and told what the first returned', async () => {
    const { test, runs, seen } = await shop(byOrder);
    const first = await test.mq.producer.send(TOPIC, { order: 'o1' });
    await test.clock.advance(0);
    runs.end(0, { receipt: 7 });
    await test.clock.advance(0);
    const second = await test.mq.producer.send(TOPIC, { order: 'o1' });
    await test.drain();
    expect(runs.contexts).toHaveLength(1);
    expect(seen('done').map(({ messageId }) => messageId)).toEqual([first.messageId]);
    expect(seen('duplicate')).toEqual([
      {
        topic: TOPIC,
        group: 'billing',
        messageId: second.messageId,
        attempt: 1,
        doneBy: first.messageId,
        result: { receipt: 7 },
      },
    ]);
    expect((await test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 2, leased: 0, retrying: 0 });
  });

  it('hands a message back, uncounted, while its key is busy, and acks it when the other one is done', async () => {
    const { test, runs, seen } = await shop(byOrder);
    await test.mq.producer.send(TOPIC, { order: 'o1' });
    await test.mq.producer.send(TOPIC, { order: 'o1' });
    await test.mq.producer.send(TOPIC, { order: 'o2' });
    await test.clock.advance(0);
    expect(runs.bodies).toEqual([{ order: 'o1' }, { order: 'o2' }]);
    expect(seen('released')).toHaveLength(1);
    // Longer than the lease: the claim of a handler that runs is renewed.
    await test.clock.advance(4 * LEASE_MS);
    expect(runs.contexts).toHaveLength(2);
    runs.endAll();
    await test.clock.advance(LEASE_MS);
    await test.drain();
    expect(runs.contexts).toHaveLength(2);
    expect(seen('duplicate')).toMatchObject([{ attempt: 1 }]);
  });

  it.each([
    ['throws', (runs: HandlerRuns, index: number) => runs.fail(index)],
    ['asks for a later attempt', (runs: HandlerRuns, index: number) => runs.end(index, retryLater('1s'))],
    ['hands it back', (runs: HandlerRuns, index: number) => runs.end(index, handBack('1s'))],
  ])('runs again when its handler %s: a first try that failed does not lock the key', async (_, fail) => {
    const { test, runs, seen } = await shop({ ...byOrder, backoff: { type: 'fixed', delay: '1s' } });
    await test.mq.producer.send(TOPIC, { order: 'o1' });
    await test.clock.advance(0);
    fail(runs, 0);
    await test.clock.advance(0);
    // Meanwhile another message with the key may do it.
    await test.mq.producer.send(TOPIC, { order: 'o1' });
    await test.clock.advance(0);
    expect(runs.running).toBe(1);
    fail(runs, 1);
    await test.clock.advance(1000);
    expect(runs.contexts).toHaveLength(3);
    runs.endAll();
    await test.clock.advance(LEASE_MS);
    await test.drain();
    expect([runs.contexts.length, seen('duplicate').length]).toEqual([3, 1]);
  });

  it('frees the key of a dead letter; a redriven message is not taken for done', async () => {
    const { test, runs } = await shop();
    await test.mq.producer.send(TOPIC, 1);
    await test.clock.advance(0);
    runs.end(0, deadLetter('no stock'));
    await test.drain();
    await test.mq.admin.redrive(TOPIC, 'billing', { max: 1 });
    await test.clock.advance(0);
    expect(runs.contexts.map(({ generation }) => generation)).toEqual([0, 1]);
    runs.end(1);
    await test.drain();
  });

  it('runs a redriven message also when another one with its key was done meanwhile', async () => {
    const { test, runs, seen } = await shop(byOrder);
    for (const outcome of [deadLetter('no stock'), 'done', 'done again']) {
      if (outcome === 'done again') await test.mq.admin.redrive(TOPIC, 'billing', { max: 1 });
      else await test.mq.producer.send(TOPIC, { order: 'o1' });
      await test.clock.advance(0);
      runs.end(runs.contexts.length - 1, outcome);
      await test.drain();
    }
    expect([runs.contexts.map(({ generation }) => generation), seen('duplicate')]).toEqual([[0, 0, 1], []]);
  });

  it('is done only when its middleware has returned too: a commit that fails is a failure', async () => {
    let commits = 0;
    const commit: Middleware = async (_, next) => {
      await next();
      if (++commits === 1) throw new Error('serialization failure');
    };
    const options = { ...byOrder, backoff: { type: 'fixed', delay: '1s' } } as const;
    const { test, runs, seen } = await shop(options, { middleware: [commit] });
    await test.mq.producer.send(TOPIC, { order: 'o1' });
    for (const index of [0, 1]) {
      await test.clock.advance(1000);
      runs.end(index);
      await test.clock.advance(0);
    }
    await test.mq.producer.send(TOPIC, { order: 'o1' });
    await test.drain();
    expect([commits, runs.contexts.length, seen('duplicate').length]).toEqual([2, 2, 1]);
  });

  it('runs again what a replay brings back, and each key once', async () => {
    const { test, runs, seen } = await shop(byOrder);
    for (const order of ['o1', 'o2', 'o1']) await test.mq.producer.send(TOPIC, { order });
    for (let turn = 0; turn < 3; turn++) {
      await test.clock.advance(LEASE_MS);
      runs.endAll();
    }
    await test.drain();
    await test.mq.admin.replay(TOPIC, 'billing', { to: 'first' });
    for (let turn = 0; turn < 6; turn++) {
      await test.clock.advance(LEASE_MS);
      runs.endAll();
    }
    await test.drain();
    expect([runs.contexts.length, seen('duplicate').length]).toEqual([4, 2]);
  });

  it('takes the message id for its key when there is none; each group has keys of its own', async () => {
    const { test, runs } = await shop();
    const other = new HandlerRuns();
    await test.mq.stopConsuming();
    test.mq.listen({ topic: TOPIC, group: 'shipping', idempotent: true }, other.handler);
    await test.mq.start();
    await test.mq.producer.send(TOPIC, 1);
    await test.mq.producer.send(TOPIC, 1);
    await test.clock.advance(0);
    expect([runs.contexts.length, other.contexts.length]).toEqual([2, 2]);
    runs.endAll();
    other.endAll();
    await test.drain();
  });

  it('remembers for its ttl', async () => {
    const { test, runs } = await shop({ idempotent: { ...(byOrder.idempotent as object), ttl: '1h' } });
    const sendAndEnd = async (): Promise<number> => {
      await test.mq.producer.send(TOPIC, { order: 'o1' });
      await test.clock.advance(0);
      runs.endAll();
      await test.drain();
      return runs.contexts.length;
    };
    expect(await sendAndEnd()).toBe(1);
    await test.clock.advance(3_500_000);
    expect(await sendAndEnd()).toBe(1);
    await test.clock.advance(100_001);
    expect(await sendAndEnd()).toBe(2);
  });

  it('keeps the order of its key while it is busy', async () => {
    const { test, runs } = await shop({ mode: 'ordered', ...byOrder });
    // Another message of another ordering key holds the key.
    await test.mq.producer.send(TOPIC, { order: 'o1' }, { orderingKey: 'x' });
    await test.clock.advance(0);
    await test.mq.producer.send(TOPIC, { order: 'o1' }, { orderingKey: 'y' });
    await test.mq.producer.send(TOPIC, { order: 'o2' }, { orderingKey: 'y' });
    await test.clock.advance(100);
    expect(runs.bodies).toEqual([{ order: 'o1' }]);
    runs.fail(0);
    await test.clock.advance(0);
    expect(runs.bodies).toEqual([{ order: 'o1' }]);
    await test.clock.advance(LEASE_MS);
    // The first of the key `y`, now that the claim is free, or the retry of `x`; never the second of `y`.
    for (let turn = 0; turn < 6; turn++) {
      runs.endAll();
      await test.clock.advance(LEASE_MS);
    }
    expect(runs.bodies.at(-1)).toEqual({ order: 'o2' });
    runs.endAll();
    await test.drain();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no such field');
      },
    ],
    ['gives no text', () => undefined as unknown as string],
    ['gives an empty text', () => ''],
  ])('buries a message whose key function %s, without running', async (_, key) => {
    const { test, runs } = await shop({ idempotent: { key } });
    await test.mq.producer.send(TOPIC, 1);
    await test.drain();
    expect(runs.contexts).toHaveLength(0);
    expect(await test.deadLetters(TOPIC, 'billing')).toMatchObject([{ reason: 'invalid' }]);
  });

  it('does not begin while the broker cannot be asked, and spends no attempt on it', async () => {
    const { test, runs, seen } = await shop();
    test.ports.faults.failNext('once.claim', new BrokerRefusedError('down', 'MQ_UNAVAILABLE'));
    await test.mq.producer.send(TOPIC, 1);
    await test.clock.advance(500);
    expect(runs.contexts).toHaveLength(0);
    await test.clock.advance(600);
    expect(runs.contexts.map(({ attempt }) => attempt)).toEqual([1]);
    expect(seen('loop-error')).toMatchObject([{ loop: expect.stringContaining('claim') }]);
    runs.endAll();
    await test.drain();
  });

  it('is not busy with itself after a lost reply', async () => {
    const { test, runs, seen } = await shop();
    for (const call of ['once.claim', 'once.complete'] as const)
      test.ports.faults.loseReply(call, new BrokerRefusedError('no answer', 'MQ_UNAVAILABLE'));
    await test.mq.producer.send(TOPIC, 1);
    await test.clock.advance(1000);
    expect(runs.contexts).toHaveLength(1);
    runs.end(0);
    await test.clock.advance(100);
    await test.drain();
    expect([runs.contexts.length, seen('done').length]).toEqual([1, 1]);
  });

  it('acks only after it was said that it is done', async () => {
    const { test, runs, seen } = await shop();
    test.ports.faults.failNext('once.complete', new BrokerRefusedError('down', 'MQ_UNAVAILABLE'), { times: 3 });
    await test.mq.producer.send(TOPIC, 1);
    await test.clock.advance(0);
    runs.end(0);
    await test.clock.advance(600);
    expect(seen('done')).toEqual([]);
    await test.clock.advance(200);
    expect(seen('done')).toHaveLength(1);
  });

  it('finds done what a handler finished after its time was up', async () => {
    const { test, runs, seen } = await shop({ timeout: '1s', backoff: { type: 'fixed', delay: '10s' } });
    await test.mq.producer.send(TOPIC, 1);
    await test.clock.advance(6000);
    runs.end(0, 'late');
    await test.clock.advance(10_000);
    await test.drain();
    expect([runs.contexts.length, seen('duplicate')]).toEqual([
      1,
      [expect.objectContaining({ attempt: 2, result: 'late' })],
    ]);
  });

  it('asks nothing more of the broker for listeners that are not idempotent', async () => {
    const ports = connectInMemory();
    const claim = jest.spyOn(ports.once, 'claim');
    const mq = new Mq(ports);
    mq.listen({ topic: TOPIC, group: 'plain' }, async () => undefined);
    mq.listen({ topic: TOPIC, group: 'idempotent', idempotent: true }, async () => undefined);
    await mq.start();
    const done = ['plain', 'idempotent'].map((name) => mq.events.next('done', ({ group }) => group === name));
    await mq.producer.send(TOPIC, 1);
    await Promise.all(done);
    expect(claim.mock.calls.flat(2).map(({ group }) => group)).toEqual(['idempotent']);
    await mq.close();
  });

  it('is refused where the broker does not offer it', () => {
    const test = createTestMq();
    opened.push(test);
    const mq = new Mq({ ...test.ports, once: undefined });
    expect(() => mq.listen({ topic: TOPIC, group: 'g', idempotent: true }, async () => undefined)).toThrow(
      InvalidOptionError,
    );
  });
});

describe('an idempotent listener that slept past its lease', () => {
  it('has lost its key to the process that took the message over: told so, and its ack is refused', async () => {
    const processes = new Processes({ topic: TOPIC, group: 'billing', lease: LEASE_MS, idempotent: true });
    const late = await processes.start();
    await late.test.mq.producer.send(TOPIC, 1);
    await late.clock.advance(0);
    const next = await processes.start();
    // `late` stands still, as after SIGSTOP; `next` takes over at once: it need not wait for the claim to run out.
    await processes.advance(2 * LEASE_MS, next);
    expect(next.runs.contexts).toHaveLength(1);
    const told: string[] = [];
    for (const event of ['claim-lost', 'lease-lost', 'done'] as const)
      late.test.mq.events.on(event, () => told.push(event));
    next.runs.end(0, 'next');
    await processes.advance(100, next);
    late.runs.end(0, 'late');
    await late.clock.advance(0);
    expect(told).toEqual(['claim-lost', 'lease-lost']);
    expect((await next.test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 1, leased: 0 });
    await processes.close();
  });

  it('left no key behind that keeps others from it when its process is gone', async () => {
    const key = { idempotent: { key: () => 'one' } };
    const processes = new Processes({ topic: TOPIC, group: 'billing', lease: LEASE_MS, ...key });
    const gone = await processes.start();
    await gone.test.mq.producer.send(TOPIC, 1);
    await gone.test.mq.producer.send(TOPIC, 2);
    await gone.clock.advance(0);
    expect(gone.runs.contexts).toHaveLength(1);
    const next = await processes.start();
    await processes.advance(3 * LEASE_MS, next);
    expect(next.runs.contexts).toHaveLength(1);
    next.runs.end(0);
    await processes.advance(2 * LEASE_MS, next);
    expect(next.runs.contexts).toHaveLength(1);
    expect((await next.test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 2, leased: 0, retrying: 0 });
    await processes.close();
  });
});

describe('the option idempotent', () => {
  const store = new InMemoryStore({ clock: new ManualClock() });

  it.each([
    [{ idempotent: 'yes' }, 'listener.idempotent'],
    [{ idempotent: { keys: () => '' } }, "did you mean 'key'"],
    [{ idempotent: { key: 'order' } }, 'listener.idempotent.key'],
    [{ idempotent: { ttl: '1ms' } }, 'listener.idempotent.ttl'],
    [{ idempotent: { ttl: '366d' } }, 'listener.idempotent.ttl'],
    [{ idempotent: true, mode: 'broadcast' }, 'listener.idempotent'],
  ])('%o is refused: %s', async (options, text) => {
    const { mq } = createTestMq({ store });
    const listen = (): void => mq.listen({ topic: TOPIC, group: 'g', ...(options as object) }, async () => undefined);
    expect(listen).toThrow(InvalidOptionError);
    expect(listen).toThrow(text);
    await mq.close();
  });
});
