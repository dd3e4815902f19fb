// Ordered mode: which member of a group consumes which queue. Every member computes the same answer by itself.

/**
 * Rendezvous hashing with a quota: each queue goes to the member with the highest weight for it that still has room,
 * so a member that joins or leaves moves few queues, and no member has more than one queue more than another.
 * @param members live members, each once; their order does not matter
 * @returns queues (0-based, over all shards) of each member
 */
export function assignQueues(queues: number, members: readonly string[]): Map<string, number[]> {
  const assigned = new Map<string, number[]>(members.map((member) => [member, []]));
  const quota = Math.floor(queues / members.length);
  // So many members may have one more than the others.
  let extras = queues % members.length;
  for (let queue = 0; queue < queues && members.length > 0; queue++) {
    for (const member of byWeight(queue, members)) {
      const owned = assigned.get(member)!;
      if (owned.length > quota || (owned.length === quota && extras === 0)) continue;
      if (owned.length === quota) extras--;
      owned.push(queue);
      break;
    }
  }
  return assigned;
}

/** Highest first; equal weights by name, so that the answer is the same everywhere. */
function byWeight(queue: number, members: readonly string[]): string[] {
  const weighed = members.map((member) => ({ member, weight: weightOf(member, queue) }));
  weighed.sort((a, b) => b.weight - a.weight || (a.member < b.member ? -1 : 1));
  return weighed.map(({ member }) => member);
}

/** FNV-1a over member and queue, then murmur's finalizer: neighbouring queues must not get neighbouring weights. */
function weightOf(member: string, queue: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${member}/${queue}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
