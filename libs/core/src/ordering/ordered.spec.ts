import type { MqContext } from '../consumer/mq-context.js';
import { deadLetter, handBack } from '../consumer/outcome.js';
import { BrokerRefusedError, LeaseLostError } from '../errors.js';
import { queueOf } from '../message/routing.js';
import { HandlerRuns } from '../../test/handler-runs.js';
import { Processes, type TestProcess } from '../../test/processes.js';

const TOPIC = 'orders';
const GROUP = 'shipping';
const QUEUES = 4;
// More than the specs have keys: which member gets which queue is chance.
const ORDERED = { topic: TOPIC, group: GROUP, mode: 'ordered', lease: '3s', concurrency: 100 } as const;

/** Two keys of one queue, and one of another. */
const [a, b, elsewhere] = ((): [string, string, string] => {
  const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`);
  const first = keys[0]!;
  const queue = queueOf(first, QUEUES);
  const same = keys.find((key) => key !== first && queueOf(key, QUEUES) === queue)!;
  return [first, same, keys.find((key) => queueOf(key, QUEUES) !== queue)!];
})();

describe('ordered mode', () => {
  let processes: Processes;
  let one: TestProcess;
  let runs: HandlerRuns;

  const send = async (...messages: [key: string, body: unknown][]): Promise<void> => {
    const requests = messages.map(([key, body]) => {
      return { destination: TOPIC, body, options: key === '' ? {} : { orderingKey: key } };
    });
    await one.test.mq.producer.sendAll(requests);
    await processes.advance(0);
  };
  const stats = async (): Promise<unknown> => (await one.test.mq.admin.stats(TOPIC)).groups[0];
  const indexOf = (of: HandlerRuns, body: unknown, skip = 0): number =>
    of.bodies.flatMap((run, index) => (run === body ? [index] : []))[skip] ?? -1;

  beforeEach(async () => {
    processes = new Processes({ ...ORDERED, maxAttempts: 3 });
    one = await processes.start();
    runs = one.runs;
    await processes.advance(0);
  });
  afterEach(() => processes.close());

  it('runs messages of one key one after the other, and different keys side by side', async () => {
    await send([a, 1], [a, 2], [b, 10], [a, 3], [elsewhere, 20]);
    expect(runs.bodies.toSorted()).toEqual([1, 10, 20]);
    for (const body of [1, 2]) {
      runs.end(indexOf(runs, body));
      await processes.advance(0);
      expect(runs.bodies).toHaveLength(3 + body);
      expect(runs.bodies.at(-1)).toBe(body + 1);
    }
  });

  it('runs messages without a key freely', async () => {
    await send(['', 1], ['', 2], ['', 3]);
    expect(runs.running).toBe(3);
  });

  it('lets a failing key block only itself, and tries again after 1 s, then 2 s', async () => {
    await send([a, 1], [a, 2], [b, 10], [b, 11]);
    runs.fail(indexOf(runs, 1));
    runs.end(indexOf(runs, 10));
    await processes.advance(900);
    expect(runs.bodies.toSorted()).toEqual([1, 10, 11]);
    await processes.advance(100);
    expect(runs.contexts.at(-1)).toMatchObject({ attempt: 2, message: { body: 1 }, failures: [{ attempt: 1 }] });
    runs.fail(indexOf(runs, 1, 1));
    await processes.advance(1900);
    expect(runs.contexts).toHaveLength(4);
    await processes.advance(100);
    expect(runs.contexts.at(-1)).toMatchObject({ attempt: 3, message: { body: 1 } });
    runs.end(indexOf(runs, 1, 2));
    await processes.advance(0);
    expect(runs.bodies.at(-1)).toBe(2);
  });

  it('keeps fetching for other keys while thousands wait behind a blocked one', async () => {
    await send(...Array.from({ length: 3000 }, (_, index): [string, unknown] => [a, index]));
    runs.fail(0);
    await send([b, 'other']);
    expect(runs.bodies).toEqual([0, 'other']);
  });

  it('goes on with the followers of a key after a dead letter', async () => {
    await send([a, 1], [a, 2]);
    runs.end(0, deadLetter('refused'));
    await processes.advance(0);
    expect(runs.bodies).toEqual([1, 2]);
    expect(await stats()).toMatchObject({ dead: 1 });
  });

  it('keeps a message that was handed back in its place, uncounted', async () => {
    await send([a, 1], [a, 2]);
    runs.end(0, handBack('5s'));
    await processes.advance(4900);
    expect(runs.bodies).toEqual([1]);
    await processes.advance(200);
    expect(runs.bodies).toEqual([1, 1]);
    expect(runs.contexts[1]).toMatchObject({ attempt: 1 });
  });

  it('never runs more handlers than its concurrency, however many keys there are', async () => {
    await processes.close();
    processes = new Processes({ topic: TOPIC, group: GROUP, mode: 'ordered', concurrency: 2, prefetch: 4 });
    one = await processes.start();
    runs = one.runs;
    await send(...Array.from({ length: 20 }, (_, index): [string, unknown] => [`k${index}`, index]));
    for (let index = 0; index < 20; index++) {
      runs.end(index);
      await processes.advance(0);
    }
    expect([runs.contexts.length, runs.most]).toEqual([20, 2]);
  });

  it('blocks the key of a handler that outlives its time-out until it has really ended, and raises an alarm', async () => {
    await processes.close();
    processes = new Processes({ topic: TOPIC, group: GROUP, mode: 'ordered', lease: '3s', timeout: '10s' });
    one = await processes.start();
    runs = one.runs;
    await send([a, 1], [a, 2], [b, 10]);
    const stalled = one.test.mq.events.next('stalled');
    await processes.advance(60_000);
    expect(await stalled).toMatchObject({ attempt: 1, timeoutMs: 10_000 });
    expect(runs.bodies.toSorted()).toEqual([1, 10]);
    const retried = one.test.mq.events.next('retry');
    runs.end(indexOf(runs, 1));
    expect(await retried).toMatchObject({ failure: { error: 'HandlerTimeoutError' } });
    await processes.advance(1000);
    expect(runs.contexts.at(-1)).toMatchObject({ attempt: 2, message: { body: 1 } });
  });

  describe('when retries end', () => {
    const park = async (): Promise<void> => {
      await processes.close();
      processes = new Processes({ ...ORDERED, maxAttempts: 2, onExhausted: 'park' });
      one = await processes.start();
      runs = one.runs;
      await send([a, 1], [a, 2], [b, 10], ['', 'keyless']);
      const parked = one.test.mq.events.next('key-parked');
      const dead = one.test.mq.events.next('dead-letter');
      for (const body of [1, 'keyless']) runs.fail(indexOf(runs, body));
      // Without a key the message comes again through the promoter.
      await processes.advance(2000);
      for (const body of [1, 'keyless']) runs.fail(indexOf(runs, body, 1), new TypeError('still bad'));
      await processes.advance(0);
      expect(await parked).toMatchObject({
        orderingKey: a,
        attempt: 2,
        reason: 'attempts-exhausted',
        text: 'still bad',
      });
      expect(await dead).toMatchObject({ reason: 'attempts-exhausted' });
    };

    it('a key that is to be parked waits for an operator, whoever owns it; the other keys go on', async () => {
      await park();
      runs.end(indexOf(runs, 10));
      await processes.advance(60_000);
      expect(runs.bodies).toHaveLength(5);
      const two = await processes.start();
      await one.test.mq.stopConsuming();
      await processes.advance(10_000, two);
      expect(two.runs.bodies).toEqual([]);
      const [key, ...others] = await two.test.mq.admin.parkedKeys(TOPIC, GROUP, { offset: 0, limit: 10 });
      expect(others).toEqual([]);
      expect(key).toMatchObject({
        orderingKey: a,
        state: 'exhausted',
        messages: 2,
        lastFailure: { error: 'TypeError' },
      });
      expect(await stats()).toMatchObject({ parked: 2, dead: 1 });
    });

    it('a resumed key begins with attempt 1 again and goes on in order', async () => {
      await park();
      expect(await one.test.mq.admin.resumeKey(TOPIC, GROUP, a)).toBe('resumed');
      await processes.advance(0);
      expect(runs.contexts.at(-1)).toMatchObject({ attempt: 1, message: { body: 1 }, failures: [{}, {}] });
      runs.end(runs.contexts.length - 1);
      await processes.advance(0);
      expect(runs.contexts.at(-1)).toMatchObject({ attempt: 1, message: { body: 2 } });
    });

    it('a skipped message becomes a dead letter with its story, and the next one of its key runs', async () => {
      await park();
      expect(await one.test.mq.admin.skipKey(TOPIC, GROUP, a)).toMatchObject({ result: 'skipped' });
      await processes.advance(0);
      expect(runs.contexts.at(-1)).toMatchObject({ message: { body: 2 } });
      const letters = await one.test.mq.admin.deadLetters(TOPIC, GROUP, { offset: 0, limit: 10 });
      expect(letters.map(({ state }) => state.failures.length)).toEqual([2, 2]);
    });
  });

  it('keeps little of a failing key in memory: what is behind it waits at the broker', async () => {
    await send(...Array.from({ length: 3000 }, (_, index): [string, unknown] => [a, index]));
    runs.fail(0);
    await processes.advance(0);
    // Nothing of the key is leased: it could not be in memory.
    expect(await stats()).toMatchObject({ leased: 0, ready: 0, retrying: 1, parked: 2999 });
    for (let index = 0; index < 200; index++) {
      await processes.advance(index === 0 ? 1000 : 0);
      runs.end(runs.contexts.length - 1);
    }
    await processes.advance(0);
    expect(runs.bodies.slice(0, 202)).toEqual([0, ...Array.from({ length: 201 }, (_, index) => index)]);
  });

  describe('with several members', () => {
    it('shares the queues: each message runs once, whoever it falls to', async () => {
      const two = await processes.start();
      await processes.advance(5000);
      const keys = Array.from({ length: 40 }, (_, index): [string, unknown] => [`k${index}`, index]);
      await send(...keys);
      expect(runs.contexts.length).toBeGreaterThan(0);
      expect(two.runs.contexts.length).toBeGreaterThan(0);
      const all = [...runs.bodies, ...two.runs.bodies] as number[];
      expect(all.toSorted((x, y) => x - y)).toEqual(keys.map(([, body]) => body));
    });

    it('hands a queue over only when none of its handlers runs any more', async () => {
      await send([a, 1], [a, 2], [b, 10], [elsewhere, 20]);
      const others = [await processes.start(), await processes.start(), await processes.start()];
      await processes.advance(20_000);
      const bodies = (): unknown[] => others.flatMap((other) => other.runs.bodies);
      expect(bodies()).toEqual([]);
      // One queue each: at most one of those that are busy here stays.
      for (const body of [1, 10, 20]) runs.end(indexOf(runs, body));
      await processes.advance(20_000);
      const second = [runs, ...others.map((other) => other.runs)].find((of) => indexOf(of, 2) >= 0)!;
      expect(second.contexts[indexOf(second, 2)]).toMatchObject({ attempt: 1, crashes: 0 });
      const probes = Array.from({ length: 200 }, (_, index) => `probe-${index}`);
      const oneOfEach = [0, 1, 2, 3].map((queue) => probes.find((key) => queueOf(key, QUEUES) === queue)!);
      await send(...oneOfEach.map((key): [string, unknown] => [key, key]));
      const owners = oneOfEach.map((key) => processes.all.findIndex((member) => indexOf(member.runs, key) >= 0));
      expect(owners.toSorted()).toEqual([0, 1, 2, 3]);
    });

    it('takes over from a member that leaves, at once and in order', async () => {
      await send([a, 1], [a, 2]);
      const two = await processes.start();
      await processes.advance(1000);
      const stopped = one.test.mq.stopConsuming();
      runs.end(0);
      await processes.advance(2000);
      await stopped;
      expect(two.runs.contexts).toMatchObject([{ attempt: 1, crashes: 0, message: { body: 2 } }]);
    });

    it('takes over drained queues of a member that leaves while its other handlers still run', async () => {
      await send([a, 1], [elsewhere, 20]);
      const two = await processes.start();
      const stopped = one.test.mq.stopConsuming();
      runs.end(indexOf(runs, 1));
      await processes.advance(3000);
      await send([a, 2], [elsewhere, 21]);
      await processes.advance(1000);
      expect(two.runs.bodies).toEqual([2]);
      runs.end(indexOf(runs, 20));
      await processes.advance(1000);
      await stopped;
      expect(two.runs.bodies).toEqual([2, 21]);
    });

    it('keeps a queue in which a handler hangs, and goes on with its other keys', async () => {
      await processes.close();
      processes = new Processes({ topic: TOPIC, group: GROUP, mode: 'ordered', lease: '3s', timeout: '1s' });
      one = await processes.start();
      runs = one.runs;
      await send([a, 1]);
      const stalled = one.test.mq.events.next('stalled');
      await processes.advance(6000);
      await stalled;
      for (let count = 0; count < 3; count++) await processes.start();
      await processes.advance(10_000);
      await send([a, 2], [b, 10]);
      await processes.advance(1000);
      const bodies = processes.all.map((member) => member.runs.bodies);
      expect(bodies).toEqual([[1, 10], [], [], []]);
    });

    it('goes on with the back-off of the former owner', async () => {
      await send([a, 1], [a, 2]);
      for (let attempt = 1; attempt < 3; attempt++) {
        runs.fail(attempt - 1);
        if (attempt === 1) await processes.advance(1000);
      }
      await processes.advance(0);
      const two = await processes.start();
      await one.test.mq.stopConsuming();
      await processes.advance(1500, two);
      expect(two.runs.contexts).toEqual([]);
      await processes.advance(1000, two);
      expect(two.runs.contexts).toMatchObject([{ attempt: 3, message: { body: 1 } }]);
    });

    it('lets a member that slept past its lease write nothing: its handlers are told', async () => {
      await send([a, 1], [a, 2]);
      const two = await processes.start();
      await processes.advance(10_000, two);
      expect(two.runs.contexts).toMatchObject([{ crashes: 1, message: { body: 1 } }]);
      const lost = one.test.mq.events.next('lease-lost');
      one.clock.suspend(10_000);
      await processes.advance(2000);
      await lost;
      expect(runs.contexts[0]!.signal.reason).toBeInstanceOf(LeaseLostError);
      runs.end(0);
      await processes.advance(2000);
      expect([runs.bodies, two.runs.bodies]).toEqual([[1], [1]]);
      expect(await stats()).toMatchObject({ done: 0 });
      two.runs.end(0);
      await processes.advance(2000);
      // With two members again the queue may fall to either.
      expect([...runs.bodies, ...two.runs.bodies].toSorted()).toEqual([1, 1, 2]);
    });

    it('starts nothing of a queue whose lease may have run out', async () => {
      await send([a, 1], [a, 2]);
      one.clock.suspend(3000);
      const delayed = one.test.ports.faults.delayNext('leases.acquire', 200, { times: 4 });
      runs.end(0);
      await processes.advance(100);
      expect(runs.bodies).toEqual([1]);
      await processes.advance(200);
      await delayed.struck;
      expect(runs.bodies).toEqual([1, 2]);
    });
  });

  describe('when the broker fails', () => {
    it('reads a queue anew when a settlement was refused, and no follower overtakes', async () => {
      await send([a, 1], [a, 2], [b, 10]);
      one.test.ports.faults.failNext('settle', new BrokerRefusedError('wrong type', 'MQ_REFUSED'));
      runs.end(indexOf(runs, 1));
      await processes.advance(1000);
      // What runs of another key may finish first.
      expect(runs.bodies.toSorted()).toEqual([1, 10]);
      runs.end(indexOf(runs, 10));
      await processes.advance(1000);
      expect(runs.bodies.slice(2)).toEqual([1]);
      runs.end(2);
      await processes.advance(0);
      expect(runs.bodies.slice(3)).toEqual([2]);
      expect(await stats()).toMatchObject({ done: 2 });
    });

    it('does not take a queue again before it is sure to be released: its messages would be lost to it', async () => {
      await send([a, 1], [a, 2]);
      one.test.ports.faults.failNext('settle', new BrokerRefusedError('wrong type', 'MQ_REFUSED'));
      one.test.ports.faults.failNext('leases.release', new Error('down'), { times: 5 });
      runs.end(0);
      await processes.advance(10_000);
      expect(runs.bodies).toEqual([1, 1]);
    });

    it('fetches again as soon as a lease in doubt is renewed', async () => {
      one.clock.suspend(3000);
      const delayed = one.test.ports.faults.delayNext('leases.acquire', 500, { times: 4 });
      await send([a, 1]);
      expect(runs.bodies).toEqual([]);
      await processes.advance(600);
      await delayed.struck;
      await send([b, 10]);
      expect(runs.bodies).toEqual([1, 10]);
    });

    it('goes on when joining or taking queues fails for a while', async () => {
      const two = await processes.start();
      two.test.ports.faults.failNext('leases.join', new Error('down'), { times: 3 });
      two.test.ports.faults.failNext('leases.acquire', new Error('down'), { times: 3 });
      await one.test.mq.stopConsuming();
      await processes.advance(5000);
      await send([a, 1], [b, 2], [elsewhere, 3]);
      expect(two.runs.bodies.toSorted()).toEqual([1, 2, 3]);
    });

    it('does not run a key twice in one process while the run of a lost lease goes on', async () => {
      await send([a, 1], [b, 10]);
      // The lease ran out, nobody took it, and this process comes back under a new epoch.
      await processes.advanceStore(4000);
      one.clock.suspend(4000);
      await processes.advance(2000);
      const [first] = runs.contexts as [MqContext];
      expect(first.signal.aborted).toBe(true);
      expect(runs.contexts).toHaveLength(2);
      runs.end(indexOf(runs, 1));
      await processes.advance(0);
      expect(runs.contexts).toHaveLength(3);
      expect(runs.contexts[2]).toMatchObject({ crashes: 1, message: { body: 1 } });
    });
  });
});
