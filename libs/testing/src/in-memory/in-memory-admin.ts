// BrokerAdmin in memory: look and repair.
import type { BrokerAdmin, DeadLetter, GroupStats, TopicSettings, TopicStats } from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import { redrive, type Redrive } from './redrive.js';
import type { StoredGroup } from './stored-group.js';
import type { StoredTopic } from './stored-topic.js';

export class InMemoryAdmin implements BrokerAdmin {
  constructor(private readonly store: InMemoryStore) {}

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

  async deadLetters(topic: string, group: string, page: { offset: number; limit: number }): Promise<DeadLetter[]> {
    const dead = this.store.find(topic)?.groups.get(group)?.dead ?? [];
    const newestFirst = dead.map(({ letter }) => letter).toReversed();
    return newestFirst.slice(page.offset, page.offset + page.limit);
  }

  async redrive(topic: string, group: string, which: Redrive): Promise<string[]> {
    const stored = this.store.find(topic);
    const found = stored?.groups.get(group);
    return stored && found ? redrive(this.store, stored, found, which) : [];
  }

  async purgeDeadLetters(topic: string, group: string, messageIds: readonly string[]): Promise<number> {
    const found = this.store.find(topic)?.groups.get(group);
    if (!found) return 0;
    const before = found.dead.length;
    found.dead = found.dead.filter(({ letter }) => !messageIds.includes(letter.messageId));
    return before - found.dead.length;
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
    expired: group.expired,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
