// BrokerAdmin in memory: look and repair.
import type { BrokerAdmin, GroupStats, TopicSettings, TopicStats } from '@millrace/core';
import { InMemoryDeadLetters } from './in-memory-dead-letters.js';
import type { StoredGroup } from './stored-group.js';
import type { StoredTopic } from './stored-topic.js';

export class InMemoryAdmin extends InMemoryDeadLetters implements BrokerAdmin {
  async topic(topic: string): Promise<TopicSettings | undefined> {
    return this.store.find(topic)?.settings;
  }

  async stats(name: string): Promise<TopicStats> {
    const topic = this.store.topic(name);
    return {
      topic: name,
      scheduled: sum(topic.shards.map((shard) => shard.scheduled.size)),
      accepted: topic.accepted,
      cancelled: topic.cancelled,
      groups: [...topic.groups.values()].map((group) => statsOf(topic, group, this.store.now())),
    };
  }
}

function statsOf(topic: StoredTopic, group: StoredGroup, now: number): GroupStats {
  const pending = group.shards.flatMap((part) => [...part.pending.values()]);
  const waitingInPlace = pending.filter(({ notBefore }) => notBefore !== undefined && notBefore > now).length;
  const unread = group.shards.flatMap((part, shard) =>
    part.cursors.map((cursor, queue) => topic.shards[shard]!.queues[queue]!.countAfter(cursor)),
  );
  return {
    group: group.name,
    mode: group.mode,
    ready: sum(unread) + sum(group.shards.map((part) => part.retryReady.length)),
    leased: pending.length - waitingInPlace,
    retrying: sum(group.shards.map((part) => part.retries.size)) + waitingInPlace,
    dead: group.dead.length,
    done: group.done,
    skipped: group.skipped,
    purged: group.purged,
    dropped: group.dropped,
    expired: group.expired,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
