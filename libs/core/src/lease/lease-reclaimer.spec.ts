import { ManualClock } from '@millrace/testing';
import { FIRST_DELIVERY, type Delivery } from '../consumer/delivery.js';
import { HeldDelivery } from '../consumer/held-delivery.js';
import type { Subscription } from '../consumer/subscription.js';
import { Window } from '../consumer/window.js';
import { LeaseReclaimer } from './lease-reclaimer.js';

const delivery = (entryId: string): Delivery =>
  ({ entryId, state: FIRST_DELIVERY, message: { body: Buffer.alloc(1) } }) as unknown as Delivery;

describe('lease reclaimer', () => {
  let clock: ManualClock;
  let calls: { at: number; shard: number; max: number }[];
  let accepted: string[];
  let answers: Delivery[][];
  let window: Window;
  let reclaimer: LeaseReclaimer;

  const create = (leaseMs: number, shards = 1): void => {
    reclaimer = new LeaseReclaimer({
      broker: {
        reclaim: async (_, shard, { max }) => {
          calls.push({ at: clock.monotonic(), shard, max });
          return answers.shift() ?? [];
        },
      },
      clock,
      window,
      name: 'orders/billing',
      subscription: { leaseMs, shards } as Subscription,
      accept: (deliveries) => accepted.push(...deliveries.map(({ entryId }) => entryId)),
      onError: () => undefined,
    });
  };

  beforeEach(() => {
    clock = new ManualClock();
    window = new Window(4, 4);
    [calls, accepted, answers] = [[], [], []];
  });
  afterEach(() => reclaimer.stop());

  it.each([
    [30_000, 5000],
    [4000, 2000],
    [100, 100],
  ])('with a lease of %i ms looks every %i ms', async (leaseMs, everyMs) => {
    create(leaseMs);
    reclaimer.start();
    await clock.advance(everyMs * 2);
    expect(calls.map(({ at }) => at)).toEqual([0, everyMs, everyMs * 2]);
  });

  it('asks every shard for what the window and its reserve allow', async () => {
    create(1000, 2);
    await reclaimer.runOnce();
    expect(calls).toEqual([
      { at: 0, shard: 0, max: 10 },
      { at: 0, shard: 1, max: 10 },
    ]);
  });

  it('feeds the consumer, and looks again soon until it finds nothing', async () => {
    create(4000);
    answers.push(
      Array.from({ length: 10 }, (_, index) => delivery(`${index}`)),
      [delivery('last')],
    );
    reclaimer.start();
    await clock.advance(1000);
    expect(accepted).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'last']);
    expect(calls.map(({ at }) => at)).toEqual([0, 10, 20]);
  });

  it('asks for nothing while the window and its reserve are full', async () => {
    create(4000);
    for (let count = 0; count < 10; count++) window.admit(new HeldDelivery(delivery(`${count}`), undefined));
    await reclaimer.runOnce();
    expect(calls).toEqual([]);
  });
});
