// BrokerAdmin in memory: look and repair.
import {
  checkLimits,
  checkPause,
  checkReplay,
  TopicError,
  type BrokerAdmin,
  type DueHistogram,
  type DueQuery,
  type GroupLimits,
  type GroupState,
  type GroupStats,
  type MessageRef,
  type ParkedKey,
  type PauseOptions,
  type ResumeKeyResult,
  type ScheduledDetails,
  type ScheduledFilter,
  type ScheduledPage,
  type ScheduledQuery,
  type SkipKeyResult,
  type ReplayOptions,
  type ReplayReport,
  type TopicSettings,
  type TopicStats,
} from '@millrace/core';
import { stateOf } from './in-memory-control.js';
import { InMemoryHalfAdmin } from './in-memory-half-admin.js';
import { listParked } from './list-parked.js';
import { countScheduled, dueHistogram, findScheduled, listScheduled } from './list-scheduled.js';
import { resumeKey, skipKey } from './operate-parked.js';
import { replay } from './replay.js';
import type { StoredGroup } from './stored-group.js';
import type { StoredTopic } from './stored-topic.js';

export class InMemoryAdmin extends InMemoryHalfAdmin implements BrokerAdmin {
  async topic(topic: string): Promise<TopicSettings | undefined> {
    return this.store.find(topic)?.settings;
  }

  async replay(topic: string, group: string, options: ReplayOptions): Promise<ReplayReport> {
    const [stored, checked] = [this.store.topic(topic), checkReplay(options)];
    const report = replay(stored, group, checked);
    // For idempotent listeners: what was done before does not count any more.
    if (!checked.dryRun && checked.to !== 'last') stored.groups.get(group)!.replayedAt = this.store.now();
    return report;
  }

  async stats(name: string): Promise<TopicStats> {
    const topic = this.store.topic(name);
    return {
      topic: name,
      scheduled: sum(topic.shards.map((shard) => shard.scheduled.size)),
      accepted: topic.accepted,
      cancelled: topic.cancelled,
      half: sum(topic.shards.map(({ halves }) => halves.all.size)),
      parkedHalves: sum(topic.shards.map(({ halves }) => halves.parked.length)),
      rolledBack: topic.rolledBack,
      groups: [...topic.groups.values()].map((group) => statsOf(topic, group, this.store.now())),
    };
  }

  async parkedKeys(topic: string, group: string, page: { offset: number; limit: number }): Promise<ParkedKey[]> {
    return listParked(this.store, topic, group).slice(page.offset, page.offset + page.limit);
  }

  async resumeKey(topic: string, group: string, orderingKey: string): Promise<ResumeKeyResult> {
    return resumeKey(this.store, topic, group, orderingKey);
  }

  async skipKey(topic: string, group: string, orderingKey: string): Promise<SkipKeyResult> {
    return skipKey(this.store, topic, group, orderingKey);
  }

  async group(topic: string, name: string): Promise<GroupState | undefined> {
    const stored = this.store.topic(topic);
    const group = stored.groups.get(name);
    return group && stateOf(stored, group, this.store.now());
  }

  async pause(topic: string, options: PauseOptions): Promise<void> {
    const { group, until, by, why } = checkPause(options);
    this.ordered(topic, group).pause = { by, why, until, since: new Date(this.store.now()) };
  }

  async resume(topic: string, { group }: { group?: string } = {}): Promise<boolean> {
    const ordered = this.ordered(topic, group);
    const { pause } = ordered;
    ordered.pause = undefined;
    return pause !== undefined && (pause.until === undefined || pause.until.getTime() > this.store.now());
  }

  async setLimits(topic: string, group: string, limits: GroupLimits): Promise<void> {
    const stored = checkLimits(limits);
    this.storedGroup(topic, group).shares.limits = stored;
  }

  async listScheduled(topic: string, query: ScheduledQuery = {}): Promise<ScheduledPage> {
    return listScheduled(this.store.topic(topic), query);
  }

  async countScheduled(topic: string, filter: ScheduledFilter = {}): Promise<number> {
    return countScheduled(this.store.topic(topic), filter);
  }

  async findScheduled(topic: string, ref: MessageRef): Promise<ScheduledDetails | undefined> {
    return findScheduled(this.store.topic(topic), ref, this.store.now());
  }

  async dueHistogram(topic: string, query: DueQuery): Promise<DueHistogram> {
    return dueHistogram(this.store.topic(topic), query, this.store.now());
  }

  private ordered(topic: string, group: string | undefined): StoredTopic | StoredGroup {
    return group === undefined ? this.store.topic(topic) : this.storedGroup(topic, group);
  }

  private storedGroup(topic: string, name: string): StoredGroup {
    const group = this.store.topic(topic).groups.get(name);
    if (!group) throw new TopicError(topic, `group ${name} of topic ${topic} does not exist`, 'MQ_TOPIC_NOT_FOUND');
    return group;
  }
}

function statsOf(topic: StoredTopic, group: StoredGroup, now: number): GroupStats {
  const keys = group.shards.flatMap((part) => part.parked.flatMap((queue) => [...queue.values()]));
  const waiting = keys.filter(({ state }) => state.type === 'waiting' || state.type === 'ready').length;
  const unread = group.shards.flatMap((part, shard) =>
    part.cursors.map((cursor, queue) => topic.shards[shard]!.queues[queue]!.countAfter(cursor)),
  );
  return {
    ...pausedOf(stateOf(topic, group, now)),
    group: group.name,
    mode: group.mode,
    ready: sum(unread) + sum(group.shards.map((part) => part.retryReady.length)),
    leased: sum(group.shards.map((part) => part.pending.size)),
    retrying: sum(group.shards.map((part) => part.retries.size)) + waiting,
    parked: sum(keys.map(({ messages, page }) => messages.length - page.size)) - waiting,
    dead: group.dead.length,
    done: group.done,
    skipped: group.skipped,
    replayed: group.replayed,
    passed: group.passed,
    purged: group.purged,
    dropped: group.dropped,
    expired: group.expired,
  };
}

function pausedOf({ pauses }: GroupState): Pick<GroupStats, 'paused'> {
  const inForce = pauses.at(-1);
  if (!inForce) return {};
  const { leftMs: _, ...paused } = inForce;
  return { paused };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
