// Replay of a group: back by making finished entries pending again, forward by passing over what is not finished.
import { replayGap, TopicError, type ReplayOptions, type ReplayReport } from '@millrace/core';
import { passOver, passRetries } from './pass-over.js';
import { putBack } from './put-back.js';
import type { StoredTopic } from './stored-topic.js';

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
