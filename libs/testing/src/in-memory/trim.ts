// Trimming: what every declared group has finished is kept for as long and as many as retention says, then goes.
import { shareOf } from '@millrace/core';
import { bytesOf } from './entry-stream.js';
import type { InMemoryStore } from './in-memory-store.js';
import type { StoredGroup } from './stored-group.js';
import type { StoredTopic } from './stored-topic.js';

export function trim(store: InMemoryStore, topic: StoredTopic): number {
  const now = store.now();
  const { retentionMs, retentionCount, retentionBytes, queues } = topic.settings;
  // The topic's count, dealt out evenly: a queue on its own cannot know how full its neighbours are.
  const keep = shareOf(retentionCount, queues);
  const keepBytes = shareOf(retentionBytes, queues);
  let removed = 0;
  for (const [index, shard] of topic.shards.entries()) {
    for (const [queue, stream] of shard.queues.entries()) {
      const needed = neededFrom(topic, index, queue, stream.lastPosition + 1);
      removed += stream.trim(
        ({ position, readyAt }) => position < needed && (readyAt + retentionMs <= now || position < needed - keep),
      );
      let excess = stream.bytes - keepBytes;
      removed += stream.trim((entry) => {
        const goes = entry.position < needed && excess > 0;
        excess -= bytesOf(entry);
        return goes;
      });
    }
    shard.records.forgetExpired(now);
  }
  for (const group of topic.groups.values()) trimDead(topic, group, now);
  return removed;
}

/** Dead letters have limits of their own. */
function trimDead({ settings }: StoredTopic, group: StoredGroup, now: number): void {
  const { deadLetterRetentionMs, deadLetterCount } = settings;
  const excess = group.dead.length - deadLetterCount;
  const gone = group.dead.filter(
    ({ letter }, at) => at < excess || letter.deadAt.getTime() + deadLetterRetentionMs <= now,
  );
  group.forget(gone);
  group.purged += gone.length;
}

/**
 * First position that a declared group has not finished: its oldest leased entry, else what it has not seen yet.
 * Without any group nobody has finished anything, unless the topic is read by broadcast: those who read so wait for nobody.
 */
function neededFrom(topic: StoredTopic, shard: number, queue: number, end: number): number {
  let needed = topic.groups.size === 0 && topic.broadcasts.size === 0 ? 0 : end;
  for (const group of topic.groups.values()) {
    const part = group.shards[shard]!;
    needed = Math.min(needed, part.cursors[queue]! + 1);
    for (const pending of part.pending.values()) {
      if (pending.source === 'queue' && pending.queue === queue) needed = Math.min(needed, pending.entry.position);
    }
  }
  return needed;
}
