import { ManualClock } from '@millrace/testing';
import type { QueueLeases } from '../broker.js';
import type { QueueLease } from '../consumer/delivery.js';
import type { Subscription } from '../consumer/subscription.js';
import type { QueueLanes } from './queue-lanes.js';
import { QueueOwner } from './queue-owner.js';

const subscription = { shards: 2, queuesPerShard: 2, leaseMs: 3000, consumer: 'me' } as Subscription;

/** Lanes as their owner sees them. */
class FakeLanes {
  isPaused = false;
  isBusy = false;
  isBroken = false;
  hasStalled = false;
  isClosed = false;

  constructor(readonly lease: QueueLease) {}

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = this.isPaused && this.isBroken;
  }

  close(): Map<string, never> {
    this.isClosed = true;
    return new Map<string, never>();
  }
}

describe('owner of queues', () => {
  let clock: ManualClock;
  let calls: string[];
  let members: string[];
  /** Epoch of each queue; undefined while another member holds it. */
  let epochs: (number | undefined)[];
  let created: FakeLanes[];
  let owner: QueueOwner;

  const queueOf = (shard: number, queue: number): number => shard * 2 + queue;
  const leases: QueueLeases = {
    join: async () => members,
    leave: async () => void calls.push('leave'),
    release: async ({ shard, queue }) => void calls.push(`release ${queueOf(shard, queue)}`),
    acquire: async (_, shard, queue, member) => {
      const epoch = epochs[queueOf(shard, queue)];
      if (epoch === undefined) return undefined;
      return { shard, queue, member, epoch, until: clock.monotonic() + 3000 } as QueueLease;
    },
  };
  const lanesOf = (queue: number): FakeLanes =>
    created.filter(({ lease }) => queueOf(lease.shard, lease.queue) === queue).at(-1)!;
  const readable = (): number[] =>
    [0, 1].flatMap((shard) => owner.leases(shard)).map((lease) => queueOf(lease.shard, lease.queue));

  beforeEach(async () => {
    clock = new ManualClock();
    [calls, created] = [[], []];
    members = ['me'];
    epochs = [1, 1, 1, 1];
    owner = new QueueOwner({
      leases,
      clock,
      subscription,
      name: 'orders/billing',
      onError: () => undefined,
      createLanes: (lease) => {
        const lanes = new FakeLanes(lease);
        created.push(lanes);
        return lanes as unknown as QueueLanes;
      },
    });
    await owner.runOnce();
  });

  it('takes all queues when it is alone, and may read them', () => {
    expect(readable()).toEqual([0, 1, 2, 3]);
  });

  it('renews what it has: the lease is the same, its end moves', async () => {
    await clock.advance(1000);
    await owner.runOnce();
    expect(created).toHaveLength(4);
    expect(lanesOf(0).lease.until).toBe(4000);
  });

  it('ends a read that goes by former leases', async () => {
    const changed = [owner.changed(0), owner.changed(1)];
    epochs[3] = undefined;
    await owner.runOnce();
    expect(changed.map(({ aborted }) => aborted)).toEqual([false, true]);
    expect(readable()).toEqual([0, 1, 2]);
    expect(lanesOf(3).isClosed).toBe(true);
  });

  it('begins anew with a queue that it got back under another epoch', async () => {
    epochs[2] = 5;
    await owner.runOnce();
    expect(created).toHaveLength(5);
    expect(created[2]!.isClosed).toBe(true);
    expect(owner.lanesOf({ shard: 1, queue: 0, epoch: 5 })).toBe(lanesOf(2));
  });

  it('knows only deliveries that were read under its present lease', () => {
    expect(owner.lanesOf({ shard: 0, queue: 1, epoch: 1 })).toBe(lanesOf(1));
    expect(owner.lanesOf({ shard: 0, queue: 1, epoch: 0 })).toBeUndefined();
    expect(owner.lanesOf({ shard: 0, queue: 1 })).toBeUndefined();
  });

  it('gives up what falls to others: idle queues at once, busy ones when they are drained', async () => {
    for (const lanes of created) lanes.isBusy = true;
    members = ['me', 'b', 'c', 'd'];
    await owner.runOnce();
    expect([calls, readable().length]).toEqual([[], 1]);
    const leaving = created.filter(({ isPaused }) => isPaused);
    expect(leaving).toHaveLength(3);
    leaving[0]!.isBusy = false;
    await owner.runOnce();
    expect(calls).toHaveLength(1);
    expect(leaving.map(({ isClosed }) => isClosed)).toEqual([true, false, false]);
  });

  it('reads a queue again that falls back to it before it was given up', async () => {
    for (const lanes of created) lanes.isBusy = true;
    members = ['me', 'b', 'c', 'd'];
    await owner.runOnce();
    members = ['me'];
    await owner.runOnce();
    expect([calls, readable()]).toEqual([[], [0, 1, 2, 3]]);
  });

  it('may not read a queue whose lease may have run out, until it is renewed', async () => {
    await clock.advance(3000);
    expect(readable()).toEqual([]);
    const changed = owner.changed(0);
    await owner.runOnce();
    expect([readable(), changed.aborted]).toEqual([[0, 1, 2, 3], true]);
  });

  it('releases a broken queue when it is drained, and takes it again in a later pass', async () => {
    Object.assign(lanesOf(1), { isBroken: true, isBusy: true });
    await owner.runOnce();
    expect([calls, readable()]).toEqual([[], [0, 2, 3]]);
    lanesOf(1).isBusy = false;
    epochs[1] = 2;
    await owner.runOnce();
    expect([calls, readable()]).toEqual([['release 1'], [0, 2, 3]]);
    await owner.runOnce();
    expect(readable()).toEqual([0, 1, 2, 3]);
  });

  it('leaves the members first, then releases each queue as it drains, then the rest', async () => {
    for (const lanes of created) lanes.isBusy = true;
    owner.retire();
    lanesOf(2).isBusy = false;
    await owner.runOnce();
    expect(calls).toEqual(['leave', 'release 2']);
    await owner.leave();
    expect(calls).toEqual(['leave', 'release 2', 'release 0', 'release 1', 'release 3']);
  });
});
