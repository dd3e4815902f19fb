// What any process may do for a topic at any time: make due messages ready, remove what nobody needs.
import { shareOf, type PromoteResult } from '@millrace/core';
import type { Caller } from './caller.js';
import type { DeclaredGroups } from './declared-groups.js';
import { fieldPrefix } from './delivery-names.js';
import type { ShardKeys } from './keys.js';
import { retryQueues, type KnownTopic, type Topics } from './topics.js';

/** A store of due messages and the streams they go to. */
interface Source {
  readonly buckets: readonly string[];
  readonly streams: readonly string[];
}

/** A consumer that held nothing and said nothing for this long belongs to a process that is gone. */
const SILENT_CONSUMER_MS = 3_600_000;
const PURGE_PER_CALL = 500;

export class Upkeep {
  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
    private readonly groups: DeclaredGroups,
  ) {}

  async promote(topic: string, shard: number, max: number): Promise<PromoteResult> {
    const known = this.topics.get(topic);
    const sources = await this.sources(known, known.shards[shard]!);
    const parked = await this.parked(known, known.shards[shard]!);
    const results = await Promise.all([
      ...sources.map((source) => this.promoteFrom(source, max)),
      ...parked.map(async (keys) => dueResult(await this.caller.run('wake-parked', keys, [max]))),
    ]);
    const dues = results.flatMap(({ nextDueInMs }) => nextDueInMs ?? []);
    return {
      promoted: results.reduce((sum, { promoted }) => sum + promoted, 0),
      nextDueInMs: dues.length > 0 ? Math.min(...dues) : undefined,
    };
  }

  async trim(topic: string): Promise<number> {
    const known = this.topics.get(topic);
    let removed = 0;
    for (const keys of known.shards) removed += await this.trimShard(known, keys);
    return removed;
  }

  private async sources({ settings }: KnownTopic, keys: ShardKeys): Promise<Source[]> {
    const perShard = settings.queues / settings.shards;
    const queues = numbers(perShard);
    const delayed = {
      buckets: numbers(settings.delayBuckets).flatMap((bucket) => [keys.delayed(bucket), keys.delayedPayloads(bucket)]),
      streams: queues.map((queue) => keys.queue(queue)),
    };
    const retries = [...(await this.groups.of(keys))].map(([name, { mode }]) => {
      const group = keys.group(name);
      return {
        buckets: [group.waiting, group.waitingPayloads],
        streams: retryQueues(mode, perShard).map((queue) => group.retries(queue)),
      };
    });
    return [delayed, ...retries];
  }

  private async promoteFrom({ buckets, streams }: Source, max: number): Promise<PromoteResult> {
    return dueResult(await this.caller.run('promote', [...buckets, ...streams], [buckets.length / 2, max]));
  }

  /** Keys of what is parked, for each ordered group. */
  private async parked({ settings }: KnownTopic, keys: ShardKeys): Promise<string[][]> {
    const groups = [...(await this.groups.of(keys))].filter(([, { mode }]) => mode === 'ordered');
    const queues = numbers(settings.queues / settings.shards);
    return groups.map(([name]) => queues.flatMap((queue) => keys.group(name).parked(queue)));
  }

  private async trimShard({ settings }: KnownTopic, keys: ShardKeys): Promise<number> {
    const groups = await this.groups.of(keys);
    const perShard = settings.queues / settings.shards;
    const keep = [
      settings.retentionMs,
      shareOf(settings.retentionCount, settings.queues),
      shareOf(settings.retentionBytes, settings.queues),
    ];
    let removed = 0;
    for (const queue of numbers(perShard)) removed += await this.trimStream(keys.queue(queue), keys, keep, '');
    for (const [name, { mode }] of groups) {
      const group = keys.group(name);
      const retries = retryQueues(mode, perShard).map((queue) => group.retries(queue));
      for (const stream of retries) removed += await this.trimStream(stream, keys, [0, 0, 0], name);
      await this.caller.run(
        'expire-dead-letters',
        [keys.meta, group.dead, group.deadLetters, group.untold],
        [name, settings.deadLetterRetentionMs, shareOf(settings.deadLetterCount, settings.shards), PURGE_PER_CALL],
      );
      const queues = numbers(perShard);
      const streams = [...queues.map((queue) => keys.queue(queue)), ...retries];
      const prefixes = [
        ...queues.map((queue) => fieldPrefix('queue', queue)),
        ...retryQueues(mode, perShard).map((queue) => fieldPrefix('retry', queue)),
      ];
      const args = [name, SILENT_CONSUMER_MS, '', ...prefixes];
      await this.caller.run('forget-consumers', [group.started, ...streams], args);
    }
    return removed;
  }

  /** @param only the only group that reads the stream, or '' */
  private async trimStream(stream: string, { meta }: ShardKeys, keep: number[], only: string): Promise<number> {
    const reply = await this.caller.run('trim', [stream, meta], [...keep, only]);
    return typeof reply === 'number' ? reply : 0;
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function dueResult(reply: unknown): PromoteResult {
  const [promoted, next] = reply as [number, string];
  return { promoted, nextDueInMs: next === '' ? undefined : Number(next) };
}
