// Replay, forwards: a group passes over what it has not finished.
import type { Entry } from './entry-stream.js';
import type { GroupShard } from './stored-group.js';

export function passOver(
  part: GroupShard,
  queue: number,
  to: number,
  unread: readonly Entry[],
  dryRun: boolean,
): number {
  const leased = [...part.pending.values()].filter(
    (pending) => pending.source === 'queue' && pending.queue === queue && pending.entry.position <= to,
  );
  const passed = unread.filter(({ position }) => position <= to);
  if (!dryRun) {
    for (const { entryId } of leased) part.pending.delete(entryId);
    if (leased.length > 0) part.owners[queue]!.member = undefined;
    part.cursors[queue] = Math.max(part.cursors[queue]!, to);
  }
  return leased.length + passed.length;
}

export function passRetries(part: GroupShard, dryRun: boolean): number {
  const leased = [...part.pending.values()].filter(({ source }) => source !== 'queue');
  const retries = leased.filter(({ source }) => source === 'retry').length + part.retryReady.length + part.retries.size;
  const keys = part.parked.flatMap((queue) => [...queue.values()]);
  const count = retries + keys.reduce((total, { messages }) => total + messages.length, 0);
  if (dryRun) return count;
  for (const { entryId } of leased) part.pending.delete(entryId);
  part.retryReady.length = 0;
  for (const queue of part.parked) queue.clear();
  for (let head = part.retries.head(); head; head = part.retries.head()) part.retries.remove(head.id);
  return count;
}
