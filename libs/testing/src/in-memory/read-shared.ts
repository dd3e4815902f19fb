// Concurrent mode: members of a group share all queues of a shard; an entry goes to whoever reads it first.
import { FIRST_DELIVERY } from '@millrace/core';
import type { Shard } from './shard.js';
import type { GroupShard, PendingEntry, StoredGroup } from './stored-group.js';

interface Reader {
  readonly consumer: string;
  readonly max: number;
  readonly now: number;
}

/** Leases up to `max` ready entries: the group's retries and the queues, beginning with another one at each call. */
export function readShared(group: StoredGroup, part: GroupShard, shard: Shard, reader: Reader): PendingEntry[] {
  const lease = { consumer: reader.consumer, leaseUntil: reader.now + group.leaseMs, started: false };
  const taken: PendingEntry[] = [];
  const streams = shard.queues.length + 1;
  const first = part.nextStream++ % streams;
  for (let step = 0; step < streams; step++) {
    const wanted = reader.max - taken.length;
    if (wanted <= 0) break;
    const queue = ((first + step) % streams) - 1;
    taken.push(...(queue === -1 ? takeRetries(part, wanted, lease) : takeNew(part, shard, queue, wanted, lease)));
  }
  return taken;
}

type Lease = Pick<PendingEntry, 'consumer' | 'leaseUntil' | 'started' | 'epoch'>;

/** Takes from the group's retry stream; in ordered mode only what belongs to `queue`. */
export function takeRetries(part: GroupShard, max: number, lease: Lease, queue?: number): PendingEntry[] {
  const taken: PendingEntry[] = [];
  for (let index = 0; index < part.retryReady.length && taken.length < max;) {
    const entry = part.retryReady[index]!;
    if (queue !== undefined && entry.queue !== queue) {
      index++;
      continue;
    }
    part.retryReady.splice(index, 1);
    const entryId = `retry-${entry.position}`;
    const { queue: home, state, firstReadyAt = entry.readyAt } = entry;
    taken.push({ ...lease, entryId, source: 'retry', queue: home, entry, state, firstReadyAt });
  }
  return remember(part, taken);
}

/** Takes what the group has not seen yet of one queue. */
export function takeNew(part: GroupShard, shard: Shard, queue: number, max: number, lease: Lease): PendingEntry[] {
  const entries = shard.queues[queue]!.after(part.cursors[queue]!, max);
  const last = entries.at(-1);
  if (last) part.cursors[queue] = last.position;
  const taken = entries.map((entry): PendingEntry => {
    const entryId = `queue-${queue}-${entry.position}`;
    return { ...lease, entryId, source: 'queue', queue, entry, state: FIRST_DELIVERY, firstReadyAt: entry.readyAt };
  });
  return remember(part, taken);
}

function remember(part: GroupShard, taken: PendingEntry[]): PendingEntry[] {
  for (const pending of taken) part.pending.set(pending.entryId, pending);
  return taken;
}
