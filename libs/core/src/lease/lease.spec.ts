import { Processes, type TestProcess } from '../../test/processes.js';
import { LeaseLostError } from '../errors.js';

const TOPIC = 'orders';
const GROUP = 'billing';

describe('leases', () => {
  let processes: Processes;

  beforeEach(() => {
    processes = new Processes({ topic: TOPIC, group: GROUP, lease: '3s' });
  });
  afterEach(() => processes.close());

  const send = async ({ test, clock }: TestProcess, ...bodies: unknown[]): Promise<void> => {
    await test.mq.producer.sendAll(bodies.map((body) => ({ destination: TOPIC, body })));
    await clock.advance(0);
  };

  /** A process with room, when 'poison' has taken down two others. */
  const besideTwoCrashes = async (): Promise<TestProcess> => {
    const full = { concurrency: 1, prefetch: 0 };
    const a = await processes.start(full);
    await send(a, 'poison');
    const b = await processes.start(full);
    await processes.advance(5000, b);
    return processes.start({ concurrency: 5 });
  };

  it('are renewed as long as the handler runs', async () => {
    const a = await processes.start();
    await send(a, 1);
    const b = await processes.start();
    await processes.advance(30_000);
    expect([a.runs.running, b.runs.contexts.length]).toEqual([1, 0]);
    const done = a.test.mq.events.next('done');
    a.runs.end(0);
    await processes.advance(100);
    await done;
  });

  it('that run out are taken over by another process, with the crash counted', async () => {
    const a = await processes.start();
    await send(a, 1);
    const b = await processes.start();
    const reclaimed = b.test.mq.events.next('reclaimed');
    await processes.advance(5000, b);
    expect(await reclaimed).toMatchObject({ topic: TOPIC, group: GROUP, crashes: 1, attempt: 1 });
    expect(b.runs.contexts[0]).toMatchObject({ attempt: 1, crashes: 1 });
  });

  it('that run out before the handler began do not count as crash', async () => {
    const a = await processes.start({ concurrency: 1, prefetch: 1 });
    await send(a, 1, 2);
    const b = await processes.start({ concurrency: 2 });
    await processes.advance(5000, b);
    expect(b.runs.contexts.map(({ crashes }) => crashes).toSorted()).toEqual([0, 1]);
  });

  it('that were lost abort the signal of the handler, and its result is not written', async () => {
    const a = await processes.start();
    await send(a, 1);
    const b = await processes.start();
    await processes.advance(5000, b);
    const lost = a.test.mq.events.next('lease-lost');
    await a.clock.advance(1000);
    expect(await lost).toMatchObject({ topic: TOPIC, group: GROUP });
    expect(a.runs.contexts[0]!.signal.reason).toBeInstanceOf(LeaseLostError);
    a.runs.fail(0);
    await processes.advance(60_000);
    expect(b.runs.running).toBe(1);
    b.runs.end(0);
    await processes.advance(1000);
    const [stats] = (await b.test.mq.admin.stats(TOPIC)).groups;
    expect(stats).toMatchObject({ done: 1, retrying: 0, leased: 0 });
  });

  it('that were lost are found out at the latest by the settlement, which writes nothing', async () => {
    const a = await processes.start();
    await send(a, 1);
    const b = await processes.start();
    await processes.advance(5000, b);
    const lost = a.test.mq.events.next('lease-lost');
    a.runs.end(0);
    await a.clock.advance(0);
    await lost;
    const [stats] = (await b.test.mq.admin.stats(TOPIC)).groups;
    expect(stats).toMatchObject({ done: 0, leased: 1 });
  });

  it('that ran out while the message waited here are renewed before it starts', async () => {
    const a = await processes.start({ concurrency: 1, prefetch: 1 });
    await send(a, 'first', 'second');
    const first = a.runs.bodies[0];
    // Nobody else was there to take anything over.
    await processes.advanceStore(5000);
    a.clock.suspend(5000);
    const renewed = a.test.ports.faults.delayNext('renew', 50);
    a.runs.end(0);
    await a.clock.advance(49);
    expect(a.runs.bodies).toHaveLength(1);
    await a.clock.advance(1);
    await renewed.struck;
    expect(a.runs.bodies).toHaveLength(2);
    expect(a.runs.bodies[1]).not.toBe(first);
    a.runs.end(1);
    await processes.advance(1000);
    expect((await a.test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 2 });
  });

  it('that were lost while the message waited here keep it from starting', async () => {
    const a = await processes.start({ concurrency: 1, prefetch: 1 });
    await send(a, 1, 2);
    const b = await processes.start();
    await processes.advance(5000, b);
    expect(b.runs.contexts).toHaveLength(2);
    const lost: string[] = [];
    a.test.mq.events.on('lease-lost', ({ messageId }) => lost.push(messageId));
    a.clock.suspend(5000);
    a.runs.end(0);
    await a.clock.advance(0);
    expect(a.runs.contexts).toHaveLength(1);
    expect(new Set(lost).size).toBe(2);
  });

  it('that ran out and came back to the same process do not start its handler a second time', async () => {
    const a = await processes.start();
    await send(a, 1);
    a.test.ports.faults.failNext('renew', new Error('down'), { times: 20 });
    const reclaimed: unknown[] = [];
    a.test.mq.events.on('reclaimed', (event) => reclaimed.push(event));
    await processes.advance(20_000);
    expect([a.runs.contexts.length, reclaimed]).toEqual([1, []]);
    a.runs.end(0);
    await processes.advance(100);
    expect((await a.test.mq.admin.stats(TOPIC)).groups[0]).toMatchObject({ done: 1, leased: 0 });
  });

  it('of a started handler that ran out three times make a dead letter without a fourth run', async () => {
    const a = await processes.start();
    await send(a, { poison: true });
    const victims = [a];
    for (let crashes = 1; crashes < 3; crashes++) {
      const next = await processes.start();
      await processes.advance(5000, next);
      expect(next.runs.contexts).toMatchObject([{ attempt: 1, crashes }]);
      victims.push(next);
    }
    const last = await processes.start();
    const dead = last.test.mq.events.next('dead-letter');
    await processes.advance(5000, last);
    expect(await dead).toMatchObject({ reason: 'crashes-exhausted', attempt: 1 });
    expect(last.runs.contexts).toEqual([]);
  });

  it('of a message that has crashed twice: it runs alone in its process', async () => {
    const c = await besideTwoCrashes();
    await send(c, 'neighbour 1', 'neighbour 2');
    await processes.advance(5000, c);
    expect(c.runs.bodies.toSorted()).toEqual(['neighbour 1', 'neighbour 2']);
    // Nothing new begins while it waits for its turn.
    await send(c, 'late');
    expect(c.runs.running).toBe(2);
    c.runs.end(0);
    await processes.advance(100, c);
    expect(c.runs.running).toBe(1);
    c.runs.end(1);
    await processes.advance(100, c);
    expect(c.runs.bodies.slice(2)).toEqual(['poison']);
    expect(c.runs.contexts[2]).toMatchObject({ crashes: 2 });
    c.runs.end(2);
    await processes.advance(100, c);
    expect(c.runs.bodies.slice(3)).toEqual(['late']);
  });

  it('of a message that has crashed twice: what ran before it in its process is settled first', async () => {
    const c = await besideTwoCrashes();
    await send(c, 'neighbour');
    await processes.advance(5000, c);
    const { broker } = c.test.mq.ports;
    const settle = broker.settle.bind(broker);
    let arrive!: () => void;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    broker.settle = async (items) => arrived.then(() => settle(items));
    c.runs.end(0);
    await processes.advance(100, c);
    expect(c.runs.bodies).toEqual(['neighbour']);
    arrive();
    await processes.advance(100, c);
    expect(c.runs.bodies).toEqual(['neighbour', 'poison']);
  });
});
