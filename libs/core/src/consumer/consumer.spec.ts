import { connectInMemory, createTestMq, InMemoryStore, ManualClock, type TestMq } from '@millrace/testing';
import { HandlerRuns } from '../../test/handler-runs.js';
import { BrokerRefusedError } from '../errors.js';
import type { Broker } from '../broker.js';
import type { Delivery } from './delivery.js';
import { handBack, retryLater } from './outcome.js';
import type { ListenerOptions } from './listener-options.js';
import type { Handler, MqContext } from './mq-context.js';

const TOPIC = 'orders';
const GROUP = 'billing';

describe('consumer', () => {
  let test: TestMq;
  let store: InMemoryStore;
  let runs: HandlerRuns;

  beforeEach(() => {
    const clock = new ManualClock();
    store = new InMemoryStore({ clock });
    test = createTestMq({ clock, store });
    runs = new HandlerRuns();
  });
  afterEach(async () => {
    // Handlers that still wait would hold the shutdown until its time is over, on a clock that stands still.
    const closed = test.mq.close();
    await test.clock.advance(60_000);
    await closed;
  });

  const start = async (options: Partial<ListenerOptions> = {}, handler: Handler = runs.handler): Promise<void> => {
    test.mq.listen({ topic: TOPIC, group: GROUP, ...options }, handler);
    await test.mq.start();
  };
  const send = async (...bodies: unknown[]): Promise<void> => {
    await test.mq.producer.sendAll(bodies.map((body) => ({ destination: TOPIC, body })));
    await test.clock.advance(0);
  };
  const stats = async (): Promise<Record<string, unknown>> => {
    const [group] = (await test.mq.admin.stats(TOPIC)).groups;
    return { ...group };
  };

  it('hands a message to its listener and acks it when the handler has finished', async () => {
    await start();
    await send({ id: 1 });
    expect(runs.contexts[0]).toMatchObject({ topic: TOPIC, group: GROUP, attempt: 1, message: { body: { id: 1 } } });
    expect(await stats()).toMatchObject({ leased: 1, done: 0 });
    const done = test.mq.events.next('done');
    runs.end(0);
    expect(await done).toMatchObject({ topic: TOPIC, group: GROUP, attempt: 1 });
    expect(await stats()).toMatchObject({ leased: 0, done: 1 });
  });

  it('never runs more handlers than its concurrency, and keeps them all busy', async () => {
    await start({ concurrency: 3, prefetch: 2 });
    await send(...Array.from({ length: 10 }, (_, index) => index));
    expect(runs.running).toBe(3);
    for (let index = 0; index < 7; index++) {
      runs.end(index);
      await test.clock.advance(0);
      expect(runs.running).toBe(3);
    }
    for (let index = 7; index < 10; index++) runs.end(index);
    await test.drain();
    expect(runs.most).toBe(3);
  });

  it('leases no more than concurrency and prefetch together', async () => {
    await start({ concurrency: 3, prefetch: 2 });
    await send(...Array.from({ length: 10 }, (_, index) => index));
    expect(await stats()).toMatchObject({ leased: 5, ready: 5 });
  });

  it('fills the room of a slow handler without waiting for the others, also without prefetch', async () => {
    await start({ concurrency: 8, prefetch: 0 });
    await send(...Array.from({ length: 9 }, (_, index) => index));
    expect(runs.running).toBe(8);
    runs.end(3);
    await test.clock.advance(0);
    expect(runs.running).toBe(8);
  });

  it('notes the starts of one turn in one call, before the handlers run, and does not wait for it', async () => {
    const noted: number[] = [];
    const { broker } = test.ports;
    const markStarted = broker.markStarted.bind(broker);
    Object.defineProperty(test.ports, 'broker', {
      value: new Proxy(broker, {
        get: (target, name, receiver) => {
          if (name !== 'markStarted') return Reflect.get(target, name, receiver) as unknown;
          return (deliveries: readonly never[]) => {
            noted.push(deliveries.length, runs.contexts.length);
            void markStarted(deliveries);
            return new Promise(() => undefined);
          };
        },
      }),
    });
    await start({ concurrency: 3 });
    await send(1, 2, 3);
    expect(noted).toEqual([3, 0]);
    expect(runs.running).toBe(3);
  });

  it('settles what has ended before it notes what starts in its place, both in one turn', async () => {
    const { broker } = test.ports;
    const calls: string[] = [];
    const { settle, markStarted } = broker;
    broker.settle = (items) => (calls.push(`settle ${items.length}`), settle.call(broker, items));
    broker.markStarted = (deliveries) => (
      calls.push(`start ${deliveries.length}`),
      queueMicrotask(() => calls.push('a turn later')),
      markStarted.call(broker, deliveries)
    );
    await start({ concurrency: 2, prefetch: 2 });
    await send(1, 2, 3, 4);
    calls.length = 0;
    runs.end(0);
    runs.end(1);
    await test.clock.advance(0);
    expect(calls).toEqual(['settle 2', 'start 2', 'a turn later']);
  });

  it.each([
    ['asks for the next messages before it starts the handlers of many', 16, 0],
    ['starts the handlers of a few before it asks for more', 15, 15],
  ])('%s', async (_, count, startedBefore) => {
    const { broker } = test.ports;
    const receive = broker.receive.bind(broker);
    const startedAtRead: number[] = [];
    broker.receive = (...request) => {
      startedAtRead.push(runs.contexts.length);
      return receive(...request);
    };
    await start({ concurrency: 20 });
    await send(...Array.from({ length: count }, (__, index) => index));
    expect(runs.running).toBe(count);
    expect(startedAtRead).toEqual([0, startedBefore]);
  });

  it('goes on when the note of a start fails', async () => {
    test.ports.faults.failNext('markStarted');
    const failed = test.mq.events.next('loop-error');
    await start();
    await send(1);
    expect(await failed).toMatchObject({ loop: `mark started ${TOPIC}/${GROUP}` });
    runs.end(0);
    await test.drain();
    expect(await stats()).toMatchObject({ done: 1 });
  });

  it('brings a failed message again after 10 s, then 30 s, with its story', async () => {
    await start();
    await send(1);
    for (const [index, seconds] of [10, 30].entries()) {
      runs.fail(index, new TypeError(`failure ${index + 1}`));
      await test.clock.advance(seconds * 1000 - 1);
      expect(runs.contexts).toHaveLength(index + 1);
      await test.clock.advance(1);
      expect(runs.contexts).toHaveLength(index + 2);
    }
    expect(runs.contexts[2]).toMatchObject({
      attempt: 3,
      failures: [
        { attempt: 1, error: 'TypeError', text: 'failure 1' },
        { attempt: 2, error: 'TypeError', text: 'failure 2' },
      ],
    });
  });

  it('gives a message up after its attempts, as a dead letter with the full story', async () => {
    await start({ maxAttempts: 3, backoff: { type: 'fixed', delay: '1s' } });
    const dead = test.mq.events.next('dead-letter');
    await send({ id: 7 });
    for (let index = 0; index < 3; index++) {
      runs.fail(index, new Error(`failure ${index + 1}`));
      await test.clock.advance(1000);
    }
    expect(await dead).toMatchObject({ reason: 'attempts-exhausted', attempt: 3, text: 'failure 3' });
    const [letter] = await test.deadLetters(TOPIC, GROUP);
    expect(letter).toMatchObject({ reason: 'attempts-exhausted', message: { body: { id: 7 } } });
    expect(letter!.state.failures.map(({ text }) => text)).toEqual(['failure 1', 'failure 2', 'failure 3']);
    await test.clock.advance(60_000);
    expect(runs.contexts).toHaveLength(3);
  });

  it("lets a message's own maxAttempts win over the listener's", async () => {
    await start({ maxAttempts: 17 });
    await test.mq.producer.send(TOPIC, 1, { maxAttempts: 1 });
    await test.clock.advance(0);
    runs.fail(0);
    await test.drain();
    expect(await test.deadLetters(TOPIC, GROUP)).toMatchObject([{ reason: 'attempts-exhausted' }]);
  });

  it.each<[string, () => unknown, number, number]>([
    ['retryLater', () => retryLater('7s'), 7000, 2],
    ['handBack', () => handBack('7s'), 7000, 1],
  ])('brings the message of %s again after its own delay', async (_, outcome, ms, attempt) => {
    await start();
    await send(1);
    runs.end(0, outcome());
    await test.clock.advance(ms - 1);
    expect(runs.contexts).toHaveLength(1);
    await test.clock.advance(1);
    expect(runs.contexts[1]).toMatchObject({ attempt });
  });

  it('uses the ladder when the back-off function throws, and says so', async () => {
    const failed = test.mq.events.next('loop-error');
    await start({
      backoff: () => {
        throw new Error('my own defect');
      },
    });
    await send(1);
    runs.fail(0);
    await test.clock.advance(10_000);
    expect(runs.contexts).toHaveLength(2);
    expect(await failed).toMatchObject({ error: new Error('my own defect') });
  });

  it('makes a stored entry that cannot be decoded a dead letter, without running a handler', async () => {
    await start();
    const message = { messageId: 'broken', topic: TOPIC, tag: '', orderingKey: '', routingKey: 'broken' };
    await connectInMemory({ store }).broker.send([{ ...message, meta: 'no envelope', body: Buffer.from([0xff]) }]);
    await test.drain();
    const [letter] = await test.deadLetters(TOPIC, GROUP);
    expect(letter).toMatchObject({ messageId: 'broken', reason: 'undecodable', message: undefined });
    expect(letter!.stored.body).toEqual(Buffer.from([0xff]));
    expect(runs.contexts).toEqual([]);
  });

  it('survives a handler that throws before it returns a promise', async () => {
    await start({ maxAttempts: 1 }, () => {
      throw new Error('at once');
    });
    await send(1);
    await test.drain();
    expect(await test.deadLetters(TOPIC, GROUP)).toMatchObject([{ text: 'at once' }]);
  });

  it('runs middleware of the module around middleware of the listener around the handler', async () => {
    const calls: string[] = [];
    const trace = (name: string) => (_: MqContext, next: () => Promise<unknown>) => {
      calls.push(name);
      return next();
    };
    const { clock } = test;
    test = createTestMq({ clock, store, middleware: [trace('module')] });
    const options = { topic: TOPIC, group: GROUP };
    test.mq.listen(options, async () => void calls.push('handler'), { middleware: [trace('listener')] });
    await test.mq.start();
    await send(1);
    await test.drain();
    expect(calls).toEqual(['module', 'listener', 'handler']);
  });

  describe('with several listeners by tag', () => {
    it('gives each message to the listener of its tag, and acks what nobody wants as skipped', async () => {
      const other = new HandlerRuns();
      const skipped = test.mq.events.next('skipped');
      test.mq.listen({ topic: TOPIC, group: GROUP, tags: 'paid' }, other.handler);
      await start({ tags: 'created || changed' });
      for (const tag of ['created', 'paid', 'shipped', 'changed']) await test.mq.producer.send(`${TOPIC}:${tag}`, tag);
      await test.mq.producer.send(TOPIC, 'no tag');
      await test.clock.advance(0);
      expect(runs.bodies).toEqual(['created', 'changed']);
      expect(other.bodies).toEqual(['paid']);
      await skipped;
      expect(await stats()).toMatchObject({ skipped: 2, leased: 3 });
    });

    it('keeps the concurrency of each apart', async () => {
      const [a, b] = [new HandlerRuns(), new HandlerRuns()];
      test.mq.listen({ topic: TOPIC, group: GROUP, tags: 'a', concurrency: 1 }, a.handler);
      await start({ tags: 'b', concurrency: 2 }, b.handler);
      for (const tag of ['a', 'a', 'b', 'b', 'b']) await test.mq.producer.send(`${TOPIC}:${tag}`, tag);
      await test.clock.advance(0);
      expect([a.running, b.running]).toEqual([1, 2]);
    });
  });

  describe('when the broker fails', () => {
    it('goes on reading after errors, however long they last', async () => {
      test.ports.faults.failNext('receive', new Error('down'), { times: 5 });
      await start();
      await send(1);
      expect(runs.contexts).toEqual([]);
      await test.clock.advance(10_000);
      expect(runs.contexts).toHaveLength(1);
    });

    it('runs once what a read brings again after a lost reply, whether it runs or has just ended', async () => {
      const { broker } = test.ports;
      const brought: Delivery[] = [];
      let isReplaying = false;
      Object.defineProperty(test.ports, 'broker', {
        value: new Proxy(broker, {
          get: (target, name, receiver) => {
            if (name !== 'receive') return Reflect.get(target, name, receiver) as unknown;
            return async (...args: Parameters<Broker['receive']>) => {
              const deliveries = await broker.receive(...args);
              brought.push(...deliveries);
              return isReplaying ? [...brought] : deliveries;
            };
          },
        }),
      });
      await start();
      await send(1, 2);
      // The read that waits now began before this ack, and ends after it.
      runs.end(0);
      await test.clock.advance(0);
      isReplaying = true;
      await send(3);
      expect(runs.bodies.toSorted()).toEqual([1, 2, 3]);
    });

    it('tries to settle again while it can, and does not run the handler a second time', async () => {
      const down = new BrokerRefusedError('loading', 'MQ_UNAVAILABLE');
      test.ports.faults.failNext('settle', down, { times: 10 });
      await start();
      await send(1);
      const done = test.mq.events.next('done');
      runs.end(0);
      await test.clock.advance(120_000);
      await done;
      expect(runs.contexts).toHaveLength(1);
      expect(await stats()).toMatchObject({ done: 1, leased: 0 });
    });

    it('lets the lease run out when a settlement is refused for good: the message comes again', async () => {
      test.ports.faults.failNext('settle', new BrokerRefusedError('wrong type', 'MQ_REFUSED'));
      const failed = test.mq.events.next('loop-error');
      await start();
      await send(1);
      runs.end(0);
      expect(await failed).toMatchObject({ loop: `settle ${TOPIC}/${GROUP}` });
      await test.clock.advance(60_000);
      expect(runs.contexts).toHaveLength(2);
      runs.end(1);
      await test.drain();
      expect(await stats()).toMatchObject({ done: 1, leased: 0 });
    });

    it('gives the room in its window back, however settlements end', async () => {
      test.ports.faults.failNext('settle', new BrokerRefusedError('wrong type', 'MQ_REFUSED'), { times: 3 });
      await start({ concurrency: 1, prefetch: 0 });
      await send(1, 2, 3, 4);
      for (const index of [0, 1, 2, 3]) {
        runs.end(index);
        await test.clock.advance(0);
      }
      expect(runs.bodies.toSorted()).toEqual([1, 2, 3, 4]);
    });
  });
});
