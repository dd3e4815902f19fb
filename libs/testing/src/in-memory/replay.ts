// Replay of a group: back by making finished entries pending again, forward by passing over what is not finished.
import { FIRST_DELIVERY, replayGap, TopicError, type ReplayOptions, type ReplayReport } from '@millrace/core';
import type { Entry } from './entry-stream.js';
import type { GroupShard, PendingEntry, StoredGroup } from './stored-group.js';
import type { StoredTopic } from './stored-topic.js';

const REPLAY_CONSUMER = 'replay';

export function replay(topic: StoredTopic, name: string, options: Required<ReplayOptions>): ReplayReport {
  const group = topic.groups.get(name);
  if (!group) {
    const problem = `topic ${topic.settings.topic} has no group ${name}`;
    throw new TopicError(topic.settings.topic, problem, 'MQ_GROUP_NOT_FOUND');
  }
  const ends = topic.shards.flatMap(({ queues }) => queues.map((queue) => queue.oldEnd));
  const gap = replayGap(topic.settings.topic, options, ends);
  const count = { putBack: 0, interrupted: 0, skipped: 0 };
  for (const [index, shard] of topic.shards.entries()) {
    const part = group.shards[index]!;
    for (const [queue, stream] of shard.queues.entries()) {
      const { to, dryRun } = options;
      const start = to === 'first' ? 0 : to === 'last' ? stream.lastPosition : stream.cursorAt(to.getTime());
      if (start >= part.cursors[queue]!) {
        count.skipped += passOver(part, queue, start, stream.after(part.cursors[queue]!, Infinity), dryRun);
        continue;
      }
      const read = stream
        .after(start, part.cursors[queue]! - start)
        .filter((one) => one.position <= part.cursors[queue]!);
      const moved = putBack(group, part, queue, read, dryRun);
      count.putBack += moved.putBack;
      count.interrupted += moved.interrupted;
    }
    if (options.to === 'last') count.skipped += passRetries(part, options.dryRun);
    if (!options.dryRun) shard.arrivals.announce();
  }
  if (!options.dryRun) {
    group.replayed += count.putBack;
    group.passed += count.skipped;
  }
  return gap ? { ...count, gap } : count;
}

function putBack(group: StoredGroup, part: GroupShard, queue: number, read: readonly Entry[], dryRun: boolean) {
  let [back, interrupted] = [0, 0];
  for (const entry of read) {
    const entryId = `queue-${queue}-${entry.position}`;
    const pending = part.pending.get(entryId);
    if (pending?.consumer === REPLAY_CONSUMER || (!pending && part.waitsFor(entry.message.messageId))) continue;
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

function passOver(part: GroupShard, queue: number, to: number, unread: readonly Entry[], dryRun: boolean): number {
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

function passRetries(part: GroupShard, dryRun: boolean): number {
  const leased = [...part.pending.values()].filter(({ source }) => source === 'retry');
  const count = leased.length + part.retryReady.length + part.retries.size;
  if (dryRun) return count;
  for (const { entryId } of leased) part.pending.delete(entryId);
  part.retryReady.length = 0;
  for (let head = part.retries.head(); head; head = part.retries.head()) part.retries.remove(head.id);
  return count;
}
