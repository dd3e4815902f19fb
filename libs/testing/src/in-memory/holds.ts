// The right to consume a queue.
import type { GroupShard } from './stored-group.js';

/** Whether this is still the stored lease. One that ran out but that nobody has taken over is still good. */
export function holds(part: GroupShard, lease: { queue: number; member: string; epoch: number }): boolean {
  const owner = part.owners[lease.queue];
  return owner?.member === lease.member && owner.epoch === lease.epoch;
}
