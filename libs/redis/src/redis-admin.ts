// The operator's port on Redis: looks and repairs, never on the path of a message.
import {
  checkReplay,
  TopicError,
  type BrokerAdmin,
  type DueHistogram,
  type DueQuery,
  type GroupLimits,
  type GroupState,
  type GroupStats,
  type ParkedHalfMessage,
  type MessageRef,
  type ParkedKey,
  type PauseOptions,
  type ReplayOptions,
  type ReplayReport,
  type ResumeKeyResult,
  type ScheduledDetails,
  type ScheduledFilter,
  type ScheduledPage,
  type ScheduledQuery,
  type SkipKeyResult,
  type TopicSettings,
  type TopicStats,
} from '@millrace/core';
import { countAdded, countReady } from './count-ready.js';
import { HalfOperator } from './half-operator.js';
import type { ShardKeys } from './keys.js';
import { OperatorOrders } from './operator-orders.js';
import { ParkedKeys } from './parked-keys.js';
import { RedisDeadLetters } from './redis-dead-letters.js';
import { Replay } from './replay.js';
import { ScheduledMessages } from './scheduled-messages.js';
import { retryQueues, type KnownTopic, type StoredGroup } from './topics.js';

export class RedisAdmin extends RedisDeadLetters implements BrokerAdmin {
  private readonly orders = new OperatorOrders(this.caller);
  private readonly keysAdmin = new ParkedKeys(this.caller);
  private readonly halves = new HalfOperator(this.connections, this.caller);

  topic(topic: string): Promise<TopicSettings | undefined> {
    return this.topics.peek(topic);
  }

  async stats(topic: string): Promise<TopicStats> {
    const { settings, shards } = await this.known(topic);
    const halves = { half: 0, parkedHalves: 0, rolledBack: 0 };
    const stats = { topic, scheduled: 0, accepted: 0, cancelled: 0, ...halves, groups: [] as GroupStats[] };
    for (const keys of shards) {
      const { groups, counters } = await this.groups.read(keys);
      const buckets = Array.from({ length: settings.delayBuckets }, (_, bucket) => bucket);
      const scheduled = await Promise.all(
        buckets.map((bucket) => this.connections.command().zcard(keys.delayed(bucket))),
      );
      stats.scheduled += scheduled.reduce((sum, count) => sum + count, 0);
      stats.cancelled += counters.get('cancelled') ?? 0;
      stats.rolledBack += counters.get('rolled-back') ?? 0;
      stats.half += await this.connections.command().hlen(keys.halves);
      stats.parkedHalves += await this.connections.command().zcard(keys.parkedHalves);
      const queues = Array.from({ length: settings.queues / settings.shards }, (_, queue) => keys.queue(queue));
      const entries = await Promise.all(queues.map((queue) => countAdded(this.connections.command(), queue)));
      stats.accepted += entries.reduce((sum, count) => sum + count, 0);
      for (const [name, group] of groups) {
        const found = await this.groupStats(keys, name, group, settings.queues / settings.shards, counters);
        const at = stats.groups.findIndex((other) => other.group === name);
        if (at < 0) stats.groups.push(found);
        else stats.groups[at] = added(stats.groups[at]!, found);
      }
    }
    // Whatever was accepted is on a queue, or will be, or was cancelled: no send has to count.
    stats.accepted += stats.scheduled + stats.cancelled + stats.half + stats.rolledBack;
    const topicAsKnown = await this.known(topic);
    stats.groups = await Promise.all(stats.groups.map((found) => this.withPause(topicAsKnown, found)));
    return stats;
  }

  async parkedKeys(topic: string, group: string, page: { offset: number; limit: number }): Promise<ParkedKey[]> {
    return this.keysAdmin.list(await this.known(topic), group, page);
  }

  async resumeKey(topic: string, group: string, orderingKey: string): Promise<ResumeKeyResult> {
    return this.keysAdmin.resume(await this.known(topic), group, orderingKey);
  }

  async skipKey(topic: string, group: string, orderingKey: string): Promise<SkipKeyResult> {
    return this.keysAdmin.skip(await this.known(topic), group, orderingKey);
  }

  async parkedHalves(topic: string, page: { offset: number; limit: number }): Promise<ParkedHalfMessage[]> {
    return this.halves.list(await this.known(topic), page);
  }

  async resumeHalf(topic: string, messageId: string): Promise<'resumed' | 'not-parked'> {
    return this.halves.resume(await this.known(topic), messageId);
  }

  async commitHalf(topic: string, messageId: string): Promise<'committed' | 'not-parked'> {
    return this.halves.commit(await this.known(topic), messageId);
  }

  async rollbackHalf(topic: string, messageId: string): Promise<'rolled-back' | 'not-parked'> {
    return this.halves.rollback(await this.known(topic), messageId);
  }

  async group(topic: string, group: string): Promise<GroupState | undefined> {
    return this.orders.state(await this.known(topic), group);
  }

  async pause(topic: string, options: PauseOptions): Promise<void> {
    await this.orders.pause(await this.known(topic), options);
  }

  async resume(topic: string, { group }: { group?: string } = {}): Promise<boolean> {
    return this.orders.resume(await this.known(topic), group);
  }

  async setLimits(topic: string, group: string, limits: GroupLimits): Promise<void> {
    await this.orders.setLimits(await this.known(topic), group, limits);
  }

  async listScheduled(topic: string, query: ScheduledQuery = {}): Promise<ScheduledPage> {
    return (await this.scheduled(topic)).list(query);
  }

  async countScheduled(topic: string, filter: ScheduledFilter = {}): Promise<number> {
    return (await this.scheduled(topic)).count(filter);
  }

  async findScheduled(topic: string, ref: MessageRef): Promise<ScheduledDetails | undefined> {
    return (await this.scheduled(topic)).find(ref);
  }

  async dueHistogram(topic: string, query: DueQuery): Promise<DueHistogram> {
    return (await this.scheduled(topic)).histogram(query, await this.now());
  }

  private async scheduled(topic: string): Promise<ScheduledMessages> {
    return new ScheduledMessages(this.caller, await this.known(topic));
  }

  private async withPause(topic: KnownTopic, stats: GroupStats): Promise<GroupStats> {
    const state = await this.orders.state(topic, stats.group);
    const inForce = state?.pauses.at(-1);
    if (!inForce) return stats;
    const { leftMs: _, ...paused } = inForce;
    return { ...stats, paused };
  }

  async replay(topic: string, group: string, options: ReplayOptions): Promise<ReplayReport> {
    const checked = checkReplay(options);
    const known = await this.known(topic);
    const stored = (await this.groups.read(known.shards[0]!)).groups.get(group);
    if (!stored) throw new TopicError(topic, `topic ${topic} has no group ${group}`, 'MQ_GROUP_NOT_FOUND');
    return new Replay(this.caller, { topic: known, group, stored }, checked).run();
  }

  private async groupStats(
    keys: ShardKeys,
    group: string,
    { mode }: StoredGroup,
    perShard: number,
    counters: ReadonlyMap<string, number>,
  ): Promise<GroupStats> {
    const client = this.connections.command();
    const groupKeys = keys.group(group);
    const queues = Array.from({ length: perShard }, (_, queue) => keys.queue(queue));
    const retries = retryQueues(mode, perShard).map((queue) => groupKeys.retries(queue));
    const streams = await Promise.all([...queues, ...retries].map((stream) => countReady(client, stream, group)));
    const numbered = queues.map((_, queue) => queue);
    const [waiting, dead, [retrying, out, parked]] = await Promise.all([
      client.zcard(groupKeys.waiting),
      client.zcard(groupKeys.dead),
      mode === 'ordered' ? this.keysAdmin.count(groupKeys, numbered) : [0, 0, 0],
    ]);
    return {
      group,
      mode,
      ready: streams.reduce((total, { ready }) => total + ready, 0),
      leased: streams.reduce((total, { pending }) => total + pending, 0) + out,
      retrying: waiting + retrying,
      parked,
      dead,
      done: counters.get(`ack:${group}`) ?? 0,
      skipped: counters.get(`skip:${group}`) ?? 0,
      replayed: counters.get(`replay:${group}`) ?? 0,
      passed: counters.get(`pass:${group}`) ?? 0,
      purged: counters.get(`purge:${group}`) ?? 0,
      dropped: counters.get(`drop:${group}`) ?? 0,
      expired: counters.get(`expire:${group}`) ?? 0,
    };
  }
}

function added(a: GroupStats, b: GroupStats): GroupStats {
  return {
    group: a.group,
    mode: a.mode,
    ready: a.ready + b.ready,
    leased: a.leased + b.leased,
    retrying: a.retrying + b.retrying,
    parked: a.parked + b.parked,
    dead: a.dead + b.dead,
    done: a.done + b.done,
    skipped: a.skipped + b.skipped,
    replayed: a.replayed + b.replayed,
    passed: a.passed + b.passed,
    purged: a.purged + b.purged,
    dropped: a.dropped + b.dropped,
    expired: a.expired + b.expired,
  };
}
