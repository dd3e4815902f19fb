// Ordered mode: only the owner of a queue reads it. A new owner first gets what the former one left unsettled, in
// order, and only then new entries.
import type { QueueLease } from '@millrace/core';
import { countCrash } from './crash.js';
import { holds } from './holds.js';
import { keep, takePages } from './park.js';
import { takeNew, takeRetries } from './read-shared.js';
import type { Shard } from './shard.js';
import type { GroupShard, PendingEntry } from './stored-group.js';

interface Reader {
  readonly consumer: string;
  readonly max: number;
  /** Unix ms of the store's clock. */
  readonly now: number;
  /** Grows: which of its streams comes first. */
  readonly turn: number;
}

/** Leases up to `max` entries of one queue, beginning with another stream of it at each turn; none when the queue lease is not ours any more. */
export function readOwned(part: GroupShard, shard: Shard, lease: QueueLease, reader: Reader): PendingEntry[] {
  if (!holds(part, lease)) return [];
  const { consumer, max, turn } = reader;
  const { epoch, queue } = lease;
  const terms = { consumer, epoch, leaseUntil: Infinity, started: false };
  const taken = adopt(part, lease, reader);
  if (taken.length >= max) return taken;
  const keepParked = (entries: PendingEntry[]): void => {
    for (const pending of entries) if (!joinParked(part, pending, reader.now)) taken.push(pending);
  };
  const streams: ((room: number) => void)[] = [
    (room) => keepParked(takeNew(part, shard, queue, room, terms)),
    (room) => keepParked(takeRetries(part, room, terms, queue)),
    (room) => taken.push(...takePages(part, queue, room, { consumer, epoch })),
  ];
  for (let step = 0; step < streams.length && taken.length < max; step++)
    streams[(turn + step) % streams.length]!(max - taken.length);
  return taken;
}

/** What an older epoch left pending; a handler that had started under it died with its process. */
function adopt(part: GroupShard, lease: QueueLease, { consumer, max, now }: Reader): PendingEntry[] {
  const left = [...part.pending.values()]
    .filter(({ queue, epoch, source }) => queue === lease.queue && epoch !== lease.epoch && source !== 'parked')
    .toSorted((a, b) => (a.source === b.source ? a.entry.position - b.entry.position : a.source === 'queue' ? -1 : 1));
  const taken: PendingEntry[] = [];
  for (const pending of left) {
    if (taken.length >= max) break;
    pending.epoch = lease.epoch;
    pending.consumer = consumer;
    countCrash(pending);
    if (!joinParked(part, pending, now)) taken.push(pending);
  }
  return taken;
}

/** A message whose key is parked is kept behind it, and not handed out. */
function joinParked(part: GroupShard, pending: PendingEntry, now: number): boolean {
  const { queue, entry, state } = pending;
  if (!part.parked[queue]!.has(entry.message.orderingKey)) return false;
  part.pending.delete(pending.entryId);
  keep(part, pending, state, now);
  return true;
}
