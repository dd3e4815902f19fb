// Ordered mode: only the owner of a queue reads it. A new owner first gets what the former one left unsettled, in
// order, and only then new entries.
import type { QueueLease } from '@millrace/core';
import { takeNew, takeRetries } from './read-shared.js';
import type { Shard } from './shard.js';
import type { GroupShard, PendingEntry } from './stored-group.js';

/** Whether this is still the stored lease. One that ran out but that nobody has taken over is still good. */
export function holds(part: GroupShard, lease: { queue: number; member: string; epoch: number }): boolean {
  const owner = part.owners[lease.queue];
  return owner?.member === lease.member && owner.epoch === lease.epoch;
}

/** Leases up to `max` entries of one queue; none when the queue lease is not ours any more. */
export function readOwned(
  part: GroupShard,
  shard: Shard,
  lease: QueueLease,
  consumer: string,
  max: number,
): PendingEntry[] {
  if (!holds(part, lease)) return [];
  const terms = { consumer, epoch: lease.epoch, leaseUntil: Infinity, started: false };
  const taken = adopt(part, lease, consumer, max);
  taken.push(...takeRetries(part, max - taken.length, terms, lease.queue));
  taken.push(...takeNew(part, shard, lease.queue, max - taken.length, terms));
  return taken;
}

/** What an older epoch left pending; a handler that had started under it died with its process. */
function adopt(part: GroupShard, lease: QueueLease, consumer: string, max: number): PendingEntry[] {
  const left = [...part.pending.values()]
    .filter((pending) => pending.queue === lease.queue && pending.epoch !== lease.epoch)
    .toSorted((a, b) => (a.source === b.source ? a.entry.position - b.entry.position : a.source === 'queue' ? -1 : 1))
    .slice(0, Math.max(0, max));
  for (const pending of left) {
    pending.epoch = lease.epoch;
    pending.consumer = consumer;
    countCrash(pending);
  }
  return left;
}

/** The lease ended without a settlement: a crash if the handler had begun, nothing otherwise. */
export function countCrash(pending: PendingEntry): void {
  if (pending.started) pending.state = { ...pending.state, crashes: pending.state.crashes + 1 };
  pending.started = false;
}
