// Dead letters go back to their own group: by name, or the oldest over all shards.
import { BrokerRefusedError, type BrokerAdmin, type RedriveOptions } from '@millrace/core';
import { UnknownFate, type Caller } from './caller.js';
import type { Connections } from './connections.js';
import type { DeclaredGroups } from './declared-groups.js';
import type { ShardKeys } from './keys.js';
import { retryQueues, type KnownTopic } from './topics.js';

/** After this many redrives a dead letter stays unless forced: something is wrong with the message itself. */
const QUARANTINE_AFTER = 3;
const PAGE = 100;

type Which = Parameters<BrokerAdmin['redrive']>[2];

interface Letter {
  readonly shard: number;
  readonly name: string;
  readonly deadAt: number;
}

export class Redrive {
  constructor(
    private readonly connections: Connections,
    private readonly caller: Caller,
    private readonly groups: DeclaredGroups,
  ) {}

  async run(topic: KnownTopic, group: string, which: Which): Promise<string[]> {
    if ('max' in which) return this.oldest(topic, group, which.max, which);
    const redriven: string[] = [];
    for (const keys of topic.shards) redriven.push(...(await this.named(topic, keys, group, which.messageIds, which)));
    return redriven;
  }

  private async oldest(topic: KnownTopic, group: string, max: number, options: RedriveOptions): Promise<string[]> {
    const redriven: string[] = [];
    // Letters that stay (quarantined) are stepped over, so that they cannot hide those behind them.
    const stayed = topic.shards.map(() => 0);
    while (redriven.length < max) {
      const want = Math.min(max - redriven.length, PAGE);
      const heads = await Promise.all(
        topic.shards.map((keys, shard) => this.head(keys, shard, group, stayed[shard]!, want)),
      );
      const page = heads
        .flat()
        .toSorted((a, b) => a.deadAt - b.deadAt)
        .slice(0, want);
      if (page.length === 0) break;
      for (const [shard, keys] of topic.shards.entries()) {
        const names = page.filter((letter) => letter.shard === shard).map(({ name }) => name);
        const done = await this.named(topic, keys, group, names, options);
        redriven.push(...done);
        stayed[shard]! += names.length - done.length;
      }
    }
    return redriven;
  }

  private async head(keys: ShardKeys, shard: number, group: string, from: number, count: number): Promise<Letter[]> {
    const { dead } = keys.group(group);
    const rows = await this.connections.command().zrange(dead, from, String(from + count - 1), 'WITHSCORES');
    const letters: Letter[] = [];
    for (let at = 0; at < rows.length; at += 2) letters.push({ shard, name: rows[at]!, deadAt: Number(rows[at + 1]) });
    return letters;
  }

  private async named(
    { settings }: KnownTopic,
    keys: ShardKeys,
    group: string,
    names: readonly string[],
    { force, diedUntil }: RedriveOptions,
  ): Promise<string[]> {
    const groupKeys = keys.group(group);
    const mode = (await this.groups.of(keys)).get(group)?.mode ?? 'concurrent';
    const streams = retryQueues(mode, settings.queues / settings.shards).map((queue) => groupKeys.retries(queue));
    const redriven: string[] = [];
    for (let at = 0; at < names.length; at += PAGE) {
      const args = [
        String(QUARANTINE_AFTER),
        force ? 'force' : '',
        String(diedUntil?.getTime() ?? ''),
        ...names.slice(at, at + PAGE),
      ];
      const reply = await this.final(keys, [groupKeys.dead, groupKeys.deadLetters, groupKeys.untold, ...streams], args);
      redriven.push(...(JSON.parse(reply) as string[]));
    }
    return redriven;
  }

  private async final(keys: ShardKeys, names: string[], args: string[]): Promise<string> {
    try {
      return await this.caller.freeze('redrive', (slot) => keys.slot(slot), names, args);
    } catch (error) {
      if (error instanceof UnknownFate)
        throw new BrokerRefusedError(
          'which dead letters were redriven is not known; ask again',
          'MQ_UNAVAILABLE',
          error.cause,
        );
      throw error;
    }
  }
}
