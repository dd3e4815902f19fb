// QueueLeases in memory: who owns which queue of an ordered group.
import { ClosedError, type Clock, type QueueLease, type QueueLeases, type Subscription } from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import { holds } from './holds.js';
import type { StoredGroup } from './stored-group.js';

export class InMemoryLeases implements QueueLeases {
  constructor(
    private readonly store: InMemoryStore,
    private readonly clock: Clock,
    private readonly isClosed: () => boolean,
  ) {}

  async join(subscription: Subscription, member: string): Promise<string[]> {
    const group = this.group(subscription);
    const now = this.store.now();
    group.members.set(member, now);
    for (const [name, seenAt] of group.members) {
      if (seenAt + group.leaseMs <= now) group.members.delete(name);
    }
    return [...group.members.keys()].toSorted();
  }

  async acquire(
    subscription: Subscription,
    shard: number,
    queue: number,
    member: string,
  ): Promise<QueueLease | undefined> {
    // Taken before the store is asked: our idea of the end must not be later than the store's.
    const until = this.clock.monotonic() + subscription.leaseMs;
    const group = this.group(subscription);
    const owner = group.shards[shard]!.owners[queue]!;
    const now = this.store.now();
    const isFree = owner.member === undefined || owner.until <= now;
    if (owner.member !== member && !isFree) return undefined;
    // An owner that let its lease run out is a new owner: in between, nothing held the others back.
    if (isFree) owner.epoch++;
    owner.member = member;
    owner.until = now + group.leaseMs;
    return { topic: subscription.topic, group: subscription.group, shard, queue, member, epoch: owner.epoch, until };
  }

  async release(lease: QueueLease): Promise<void> {
    if (this.isClosed()) throw new ClosedError('in-memory broker');
    const part = this.store.find(lease.topic)?.groups.get(lease.group)?.shards[lease.shard];
    if (!part || !holds(part, lease)) return;
    part.owners[lease.queue]!.member = undefined;
  }

  async leave(subscription: Subscription, member: string): Promise<void> {
    this.group(subscription).members.delete(member);
  }

  private group(subscription: Subscription): StoredGroup {
    if (this.isClosed()) throw new ClosedError('in-memory broker');
    return this.store.topic(subscription.topic).declareGroup(subscription);
  }
}
