// The operator's port on Redis: looks and repairs, never on the path of a message.
import {
  topicSpec,
  type BrokerAdmin,
  type DeadLetter,
  type DeadLetterReason,
  type GroupStats,
  type TopicSettings,
  type TopicStats,
} from '@millrace/core';
import type { Caller } from './caller.js';
import { countAdded, countReady } from './count-ready.js';
import type { Connections } from './connections.js';
import type { DeclaredGroups } from './declared-groups.js';
import { decodeState } from './retry-field.js';
import type { ShardKeys } from './keys.js';
import { Redrive } from './redrive.js';
import { runScriptBuffer } from './scripts.js';
import { retryQueues, type StoredGroup, type Topics } from './topics.js';

export class RedisAdmin implements BrokerAdmin {
  constructor(
    private readonly connections: Connections,
    private readonly caller: Caller,
    private readonly topics: Topics,
    private readonly groups: DeclaredGroups,
  ) {}

  topic(topic: string): Promise<TopicSettings | undefined> {
    return this.topics.peek(topic);
  }

  async stats(topic: string): Promise<TopicStats> {
    const { settings, shards } = await this.known(topic);
    const stats = { topic, scheduled: 0, accepted: 0, cancelled: 0, groups: [] as GroupStats[] };
    for (const keys of shards) {
      const { groups, counters } = await this.groups.read(keys);
      const buckets = Array.from({ length: settings.delayBuckets }, (_, bucket) => bucket);
      const scheduled = await Promise.all(
        buckets.map((bucket) => this.connections.command().zcard(keys.delayed(bucket))),
      );
      stats.scheduled += scheduled.reduce((sum, count) => sum + count, 0);
      stats.cancelled += counters.get('cancelled') ?? 0;
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
    stats.accepted += stats.scheduled + stats.cancelled;
    return stats;
  }

  async deadLetters(
    topic: string,
    group: string,
    { offset, limit }: { offset: number; limit: number },
  ): Promise<DeadLetter[]> {
    const { shards } = await this.known(topic);
    // Pages over several shards are merged by time: each shard gives its first `offset + limit`.
    const pages = await Promise.all(shards.map((keys) => this.letters(keys, group, 0, offset + limit)));
    return pages
      .flat()
      .toSorted((a, b) => b.deadAt.getTime() - a.deadAt.getTime())
      .slice(offset, offset + limit);
  }

  async redrive(topic: string, group: string, which: Parameters<BrokerAdmin['redrive']>[2]): Promise<string[]> {
    return new Redrive(this.connections, this.caller, this.groups).run(await this.known(topic), group, which);
  }

  async purgeDeadLetters(topic: string, group: string, messageIds: readonly string[]): Promise<number> {
    const { shards } = await this.known(topic);
    let purged = 0;
    for (const keys of shards) {
      const { dead, deadLetters } = keys.group(group);
      purged += (await this.caller.run('purge-dead-letters', [dead, deadLetters], ['', 0, ...messageIds])) as number;
    }
    return purged;
  }

  private async letters(keys: ShardKeys, group: string, offset: number, limit: number): Promise<DeadLetter[]> {
    const { dead, deadLetters } = keys.group(group);
    const rows = (await runScriptBuffer(
      this.connections.command(),
      'list-dead-letters',
      [dead, deadLetters],
      [offset, limit],
    )) as Buffer[][];
    return rows.map((row): DeadLetter => {
      const [, , messageId, tag, orderingKey, meta, body, reason, state, why, deadAt] = row;
      return {
        messageId: messageId!.toString(),
        topic: keys.topic,
        group,
        reason: reason!.toString() as DeadLetterReason,
        text: why!.length > 0 ? why!.toString() : undefined,
        deadAt: new Date(Number(deadAt!.toString())),
        state: decodeState(state!.toString()),
        message: {
          messageId: messageId!.toString(),
          tag: tag!.toString(),
          orderingKey: orderingKey!.toString(),
          meta: meta!,
          body: body!,
        },
      };
    });
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
    const [waiting, held, dead] = await Promise.all([
      client.zcard(groupKeys.waiting),
      client.hlen(groupKeys.held),
      client.zcard(groupKeys.dead),
    ]);
    return {
      group,
      mode,
      ready: streams.reduce((total, { ready }) => total + ready, 0),
      leased: streams.reduce((total, { pending }) => total + pending, 0) - held,
      retrying: waiting + held,
      dead,
      done: counters.get(`ack:${group}`) ?? 0,
      skipped: counters.get(`skip:${group}`) ?? 0,
      expired: counters.get(`expire:${group}`) ?? 0,
    };
  }

  /** The topic, read from the server when this process has not used it yet. */
  private async known(topic: string): ReturnType<Topics['look']> {
    return this.topics.look(topicSpec({ topic }, false));
  }
}

function added(a: GroupStats, b: GroupStats): GroupStats {
  return {
    group: a.group,
    mode: a.mode,
    ready: a.ready + b.ready,
    leased: a.leased + b.leased,
    retrying: a.retrying + b.retrying,
    dead: a.dead + b.dead,
    done: a.done + b.done,
    skipped: a.skipped + b.skipped,
    expired: a.expired + b.expired,
  };
}
