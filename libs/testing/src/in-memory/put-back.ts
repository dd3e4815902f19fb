// Replay, backwards: finished entries are pending again, long since, so that the group takes them over.
import { FIRST_DELIVERY } from '@millrace/core';
import type { Entry } from './entry-stream.js';
import type { GroupShard, PendingEntry, StoredGroup } from './stored-group.js';

/** Holds what a replay put back until a member takes it over. */
export const REPLAY_CONSUMER = 'replay';

export function putBack(group: StoredGroup, part: GroupShard, queue: number, read: readonly Entry[], dryRun: boolean) {
  let [back, interrupted] = [0, 0];
  for (const entry of read) {
    const entryId = `queue-${queue}-${entry.position}`;
    const pending = part.pending.get(entryId);
    if (pending?.consumer === REPLAY_CONSUMER || (!pending && part.waitsFor(queue, entry))) continue;
    if (pending) interrupted++;
    else back++;
    if (dryRun) continue;
    const terms = { consumer: REPLAY_CONSUMER, epoch: undefined, leaseUntil: 0, started: false };
    const first = {
      entryId,
      source: 'queue' as const,
      queue,
      entry,
      state: FIRST_DELIVERY,
      firstReadyAt: entry.readyAt,
    };
    const taken: PendingEntry = pending ? { ...pending, ...terms } : { ...first, ...terms };
    part.pending.set(entryId, taken);
    // Ordered: whoever takes the queue reads all of it again, in order.
    if (group.mode === 'ordered') part.owners[queue]!.member = undefined;
  }
  return { putBack: back, interrupted };
}
