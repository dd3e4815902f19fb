// Receiving: takes what is ready, or waits for the next arrival, the end of the wait, an abort or the close.
import type { Clock, Delivery, ReceiveOptions, Subscription } from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import { nextArrival } from './next-arrival.js';
import { readOwned } from './read-owned.js';
import { readShared } from './read-shared.js';
import { storedCopy } from './send.js';
import type { PendingEntry } from './stored-group.js';

export class Receiver {
  constructor(
    private readonly store: InMemoryStore,
    private readonly clock: Clock,
    private readonly closed: AbortSignal,
  ) {}

  async receive(subscription: Subscription, shard: number, options: ReceiveOptions): Promise<Delivery[]> {
    const deadline = this.clock.monotonic() + options.waitMs;
    for (;;) {
      const deliveries = this.take(subscription, shard, options);
      const left = deadline - this.clock.monotonic();
      if (deliveries.length > 0 || left <= 0 || options.signal?.aborted || this.closed.aborted) return deliveries;
      const { arrivals } = this.store.topic(subscription.topic).shards[shard]!;
      await nextArrival(arrivals, this.clock, left, options.signal, this.closed);
    }
  }

  toDelivery(subscription: Subscription, shard: number, pending: PendingEntry, leaseUntil: number): Delivery {
    const { topic, group } = subscription;
    const { entryId, source, queue, consumer, epoch, state, firstReadyAt: readyAt, isReplayed } = pending;
    const message = storedCopy(pending.entry.message);
    const fence = this.store.nextFence();
    const place = { topic, group, shard, queue, source, entryId, consumer, epoch };
    return { ...place, state, message, fence, isReplayed, readyAt, leaseUntil };
  }

  private take(subscription: Subscription, shard: number, { max, leases = [] }: ReceiveOptions): Delivery[] {
    // A wait that is told to end takes nothing more: nobody might be there to handle it.
    if (this.closed.aborted) return [];
    const leaseUntil = this.clock.monotonic() + subscription.leaseMs;
    const topic = this.store.topic(subscription.topic);
    const group = topic.declareGroup(subscription);
    const part = group.shards[shard]!;
    const stored = topic.shards[shard]!;
    if (group.mode === 'concurrent') {
      const reader = { consumer: subscription.consumer, max, now: this.store.now() };
      const taken = readShared(group, part, stored, reader);
      return taken.map((pending) => this.toDelivery(subscription, shard, pending, leaseUntil));
    }
    const deliveries: Delivery[] = [];
    const owned = leases.filter((lease) => lease.shard === shard);
    const turn = part.nextStream++;
    for (let step = 0; step < owned.length; step++) {
      const lease = owned[(turn + step) % owned.length]!;
      const taken = readOwned(part, stored, lease, {
        consumer: subscription.consumer,
        max: max - deliveries.length,
        now: this.store.now(),
        turn: Math.floor(turn / owned.length),
      });
      deliveries.push(...taken.map((pending) => this.toDelivery(subscription, shard, pending, lease.until)));
    }
    return deliveries;
  }
}
