import { ManualClock } from '@millrace/testing';
import { FIRST_DELIVERY, type Delivery } from '../consumer/delivery.js';
import { HeldDelivery, type HeldState } from '../consumer/held-delivery.js';
import { LeaseKeeper } from './lease-keeper.js';

const LEASE_MS = 3000;

describe('lease keeper', () => {
  let clock: ManualClock;
  let inHand: Set<HeldDelivery>;
  let lost: string[];
  let calls: string[][];
  let errors: unknown[];
  let renewed: number;
  let keeper: LeaseKeeper;
  let renew: (deliveries: readonly Delivery[]) => Promise<Delivery[]>;

  const hold = (entryId: string, state: HeldState = 'running'): HeldDelivery => {
    const delivery = { shard: 0, queue: 0, source: 'queue', entryId, state: FIRST_DELIVERY, leaseUntil: LEASE_MS };
    const held = new HeldDelivery(delivery as unknown as Delivery, undefined);
    held.state = state;
    inHand.add(held);
    return held;
  };

  beforeEach(() => {
    clock = new ManualClock();
    [inHand, lost, calls, errors, renewed] = [new Set(), [], [], [], 0];
    renew = async (deliveries) => [...deliveries];
    keeper = new LeaseKeeper({
      broker: {
        renew: (deliveries) => {
          calls.push(deliveries.map(({ entryId }) => entryId));
          return renew(deliveries);
        },
      },
      clock,
      name: 'orders/billing',
      leaseMs: LEASE_MS,
      inHand,
      onLost: (held) => lost.push(held.delivery.entryId),
      onRenewed: () => renewed++,
      onError: (error) => errors.push(error),
    });
  });
  afterEach(() => keeper.stop());

  it('renews everything in hand in one call, three times per lease', async () => {
    hold('a');
    hold('b', 'waiting');
    hold('c', 'settling');
    keeper.start();
    await clock.advance(2500);
    expect(calls).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
  });

  it('asks nothing while nothing is in hand', async () => {
    keeper.start();
    await clock.advance(10_000);
    expect(calls).toEqual([]);
  });

  it('takes over the new end of a lease, also when the broker answers with copies', async () => {
    const held = hold('a');
    renew = async (deliveries) => deliveries.map((delivery) => ({ ...delivery, leaseUntil: 9999 }));
    await keeper.runOnce();
    expect(held.delivery.leaseUntil).toBe(9999);
    expect(lost).toEqual([]);
  });

  it('reports those that are not ours any more, waiting or running', async () => {
    hold('a', 'waiting');
    hold('b');
    hold('c');
    renew = async (deliveries) => deliveries.filter(({ entryId }) => entryId === 'b');
    await keeper.runOnce();
    expect(lost).toEqual(['a', 'c']);
  });

  it('tells apart entries of the same name in queue and retry stream', async () => {
    const fromRetry = hold('a');
    fromRetry.delivery = { ...fromRetry.delivery, source: 'retry' };
    hold('a');
    renew = async (deliveries) => deliveries.filter(({ source }) => source === 'retry');
    await keeper.runOnce();
    expect(lost).toEqual(['a']);
  });

  it('takes a delivery that is settled meanwhile for settled, not for lost', async () => {
    const before = hold('before', 'settling');
    const meanwhile = hold('meanwhile');
    renew = async () => {
      meanwhile.state = 'settling';
      return [];
    };
    await keeper.runOnce();
    expect([lost, before.lost]).toEqual([[], false]);
  });

  it('says "renewed" after each pass that succeeded', async () => {
    hold('a');
    await keeper.runOnce();
    renew = () => Promise.reject(new Error('down'));
    await keeper.runOnce();
    expect([renewed, errors]).toEqual([1, [new Error('down')]]);
  });
});
