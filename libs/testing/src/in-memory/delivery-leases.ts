// Who owns a delivery: the question every settling, renewing or starting call asks first; and the take-over of
// deliveries whose owner is gone.
import type { Delivery } from '@millrace/core';
import { countCrash } from './crash.js';
import { REPLAY_CONSUMER } from './put-back.js';
import type { GroupShard, PendingEntry, StoredGroup } from './stored-group.js';
import type { StoredTopic } from './stored-topic.js';

export interface Owned {
  group: StoredGroup;
  part: GroupShard;
  pending: PendingEntry;
}

/** The pending entry, if this delivery still owns it: same consumer; ordered: same epoch, and the queue is still held. */
export function ownedBy(topic: StoredTopic | undefined, delivery: Delivery): Owned | undefined {
  const group = topic?.groups.get(delivery.group);
  const part = group?.shards[delivery.shard];
  const pending = part?.pending.get(delivery.entryId);
  if (!group || !part || !pending || pending.consumer !== delivery.consumer) return undefined;
  if (group.mode === 'ordered') {
    const owner = part.owners[pending.queue]!;
    if (owner.member === undefined || owner.epoch !== delivery.epoch) return undefined;
  }
  return { group, part, pending };
}

/** Starts the lease anew. In ordered mode the queue's lease is the delivery's, and its owner prolongs that. */
export function renewOne({ group, pending }: Owned, now: number): void {
  if (group.mode === 'concurrent') pending.leaseUntil = now + group.leaseMs;
}

/** Concurrent mode: hands expired leases to another consumer. In ordered mode the next owner's read does that. */
export function reclaimExpired(
  group: StoredGroup,
  part: GroupShard,
  consumer: string,
  max: number,
  now: number,
): PendingEntry[] {
  if (group.mode === 'ordered') return [];
  const expired = [...part.pending.values()].filter((pending) => pending.leaseUntil <= now).slice(0, Math.max(0, max));
  for (const pending of expired) {
    pending.isReplayed = pending.consumer === REPLAY_CONSUMER;
    pending.consumer = consumer;
    pending.leaseUntil = now + group.leaseMs;
    countCrash(pending);
  }
  return expired;
}
