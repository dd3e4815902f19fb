import { ManualClock } from '@millrace/testing';
import type { ReceiveOptions } from '../broker.js';
import { FIRST_DELIVERY, type Delivery, type QueueLease } from './delivery.js';
import { Fetcher, type ReadableQueues } from './fetcher.js';
import { HeldDelivery } from './held-delivery.js';
import type { Subscription } from './subscription.js';
import { Window } from './window.js';

const message = { messageId: 'm', tag: '', orderingKey: '', meta: '', body: Buffer.alloc(0) };
const deliveries = (count: number): Delivery[] =>
  Array.from({ length: count }, () => ({ message, state: FIRST_DELIVERY }) as unknown as Delivery);

describe('fetcher', () => {
  let clock: ManualClock;
  let window: Window;
  let reads: { at: number; max: number; waitMs: number; leases?: readonly QueueLease[] }[];
  let held: HeldDelivery[];
  let log: string[];
  /** How many reads there had been when each one began. */
  let begun: number[];
  /** How many reads had been asked for whenever what was accepted might start. */
  let asked: number[];
  let fetcher: Fetcher;
  /** Answers in turn; then reads wait for the abort or their time. */
  let answers: (() => Promise<Delivery[]>)[];

  const receive = async (_: Subscription, __: number, options: ReceiveOptions): Promise<Delivery[]> => {
    const { max, waitMs, leases, signal } = options;
    reads.push({ at: clock.monotonic(), max, waitMs, leases });
    const answer = answers.shift();
    if (answer) return answer();
    await clock.wait(waitMs, signal);
    return [];
  };

  const create = (shards = 1, queues?: ReadableQueues): void => {
    fetcher = new Fetcher({
      broker: { receive },
      clock,
      window,
      queues,
      shard: 0,
      name: 'orders/billing',
      subscription: { shards } as Subscription,
      accept: (arrived) => {
        for (const delivery of arrived) {
          const one = new HeldDelivery(delivery, undefined);
          held.push(one);
          window.admit(one);
        }
      },
      beforeRead: () => void begun.push(reads.length),
      afterRead: () => void asked.push(reads.length),
      recover: async () => void log.push('recovered'),
      onError: (error) => log.push((error as Error).message),
    });
    fetcher.start();
  };

  beforeEach(() => {
    clock = new ManualClock();
    window = new Window(4, 4);
    [reads, held, log, answers, begun, asked] = [[], [], [], [], [], []];
  });
  afterEach(() => fetcher.stop());

  it('reads what the window has room for, waiting 5 s at most', async () => {
    create();
    await clock.advance(5000);
    expect(reads).toEqual([
      { at: 0, max: 8, waitMs: 5000 },
      { at: 5000, max: 8, waitMs: 5000 },
    ]);
  });

  it('reads again at once while there is room worth a read, and not before', async () => {
    answers.push(
      async () => deliveries(4),
      async () => deliveries(3),
    );
    create();
    await clock.advance(1);
    expect(reads.map(({ max }) => max)).toEqual([8, 4]);
    window.leave(held[0]!);
    await clock.advance(1);
    expect(reads.map(({ max }) => max)).toEqual([8, 4, 2]);
  });

  it('tells when a read is about to begin', async () => {
    create();
    await clock.advance(12_000);
    expect(reads).toHaveLength(3);
    expect(begun).toEqual([0, 1, 2]);
  });

  it('lets what a read brought start when the next read has been asked for, or there is no room for one', async () => {
    answers.push(
      async () => deliveries(4),
      async () => deliveries(4),
    );
    create();
    await clock.advance(1);
    // Before the first read nothing waits; the second has left; for a third one there is no room.
    expect(asked).toEqual([1, 2, 2]);
  });

  it('shares the room among the shards of the topic', async () => {
    create(4);
    await clock.advance(0);
    expect(reads[0]).toMatchObject({ max: 2 });
  });

  it('never ends on errors: it backs off, and declares topic and group again before the next read', async () => {
    const down = async (): Promise<Delivery[]> => {
      throw new Error('NOGROUP');
    };
    answers.push(down, down, async () => deliveries(1));
    create();
    await clock.advance(300);
    expect(log).toEqual(['NOGROUP', 'recovered', 'NOGROUP', 'recovered']);
    expect(reads.map(({ at }) => at)).toEqual([0, 100, 300, 300]);
    expect(held).toHaveLength(1);
  });

  it('does not ask in a tight loop a broker that neither waits nor has anything', async () => {
    answers.push(...Array.from({ length: 100 }, () => async () => []));
    create();
    await clock.advance(20);
    expect(reads.map(({ at }) => at)).toEqual([0, 5, 10, 15, 20]);
  });

  it('ends the wait when it is stopped, and still takes what was leased', async () => {
    answers.push(() => new Promise((resolve) => void clock.wait(1000, undefined).then(() => resolve(deliveries(2)))));
    create();
    await clock.advance(0);
    const stopped = fetcher.stop();
    await clock.advance(1000);
    await stopped;
    expect(held).toHaveLength(2);
    expect(reads).toHaveLength(1);
  });

  describe('in ordered mode', () => {
    const lease = { shard: 0, queue: 2 } as QueueLease;

    it('reads the owned queues only, and looks anew when they change', async () => {
      let owned: QueueLease[] = [];
      let change = new AbortController();
      const become = (leases: QueueLease[]): void => {
        owned = leases;
        const before = change;
        change = new AbortController();
        before.abort();
      };
      create(1, { leases: () => owned, changed: () => change.signal });
      await clock.advance(100);
      expect(reads).toEqual([]);
      become([lease]);
      await clock.advance(100);
      become([lease, lease]);
      await clock.advance(0);
      expect(reads.map(({ at, leases }) => [at, leases?.length])).toEqual([
        [100, 1],
        [200, 2],
      ]);
      become([]);
      await clock.advance(100);
      expect(reads).toHaveLength(2);
    });
  });
});
