// What an operator sees of parked half messages, and does about them.
import { BrokerRefusedError, searchedOf, type ParkedHalfMessage } from '@millrace/core';
import { UnknownFate, type Caller } from './caller.js';
import type { Connections } from './connections.js';
import { commitCall, resumeCall, rollbackCall, type HalfCall } from './half-calls.js';
import type { ShardKeys } from './keys.js';
import type { KnownTopic } from './topics.js';

/** Bodies are read a few at a time: each may have 4 MiB. */
const READS_AT_ONCE = 8;
const MAX_PAGE = 1000;

interface Parked {
  readonly shard: ShardKeys;
  readonly messageId: string;
  readonly parkedAt: number;
}

export class HalfOperator {
  constructor(
    private readonly connections: Connections,
    private readonly caller: Caller,
  ) {}

  /** Pages over several shards are merged: each gives its first `offset + limit`. */
  async list({ shards, settings }: KnownTopic, { offset, limit }: { offset: number; limit: number }) {
    const all = (
      await Promise.all(shards.map((shard) => this.first(shard, offset + Math.min(limit, MAX_PAGE))))
    ).flat();
    const page = all.toSorted((a, b) => a.parkedAt - b.parkedAt).slice(offset, offset + Math.min(limit, MAX_PAGE));
    const found: ParkedHalfMessage[] = [];
    for (let at = 0; at < page.length; at += READS_AT_ONCE) {
      const some = page.slice(at, at + READS_AT_ONCE).map((one) => this.read(settings.topic, one));
      found.push(...(await Promise.all(some)).flat());
    }
    return found;
  }

  async resume({ shards }: KnownTopic, messageId: string): Promise<'resumed' | 'not-parked'> {
    return (await this.any(shards, 'RESUMED', (shard) => resumeCall(shard, messageId))) ? 'resumed' : 'not-parked';
  }

  async commit(topic: KnownTopic, messageId: string): Promise<'committed' | 'not-parked'> {
    const done = await this.any(topic.shards, 'COMMITTED', (shard) => commitCall(topic, shard, messageId, 'operator'));
    return done ? 'committed' : 'not-parked';
  }

  async rollback({ shards }: KnownTopic, messageId: string): Promise<'rolled-back' | 'not-parked'> {
    const done = await this.any(shards, 'ROLLED_BACK', (shard) => rollbackCall(shard, messageId, 'operator'));
    return done ? 'rolled-back' : 'not-parked';
  }

  /** An id names no shard; at most one holds it, so the answer is final. */
  private async any(
    shards: readonly ShardKeys[],
    word: string,
    callOf: (shard: ShardKeys) => HalfCall,
  ): Promise<boolean> {
    const replies = await Promise.all(shards.map((shard) => this.final(callOf(shard))));
    return replies.some((reply) => reply.startsWith(word));
  }

  private async final({ script, shard, keys, args }: HalfCall): Promise<string> {
    try {
      return await this.caller.freeze(script, (slot) => shard.slot(slot), keys, args);
    } catch (error) {
      if (!(error instanceof UnknownFate)) throw error;
      const problem = 'what became of the half message is not known; look again';
      throw new BrokerRefusedError(problem, 'MQ_UNAVAILABLE', error.cause);
    }
  }

  private async first(shard: ShardKeys, count: number): Promise<Parked[]> {
    if (count <= 0) return [];
    const rows = await this.connections.command().zrange(shard.parkedHalves, '0', String(count - 1), 'WITHSCORES');
    return rows.flatMap((messageId, at) =>
      at % 2 === 0 ? [{ shard, messageId, parkedAt: Number(rows[at + 1]) }] : [],
    );
  }

  /** Nothing when it was decided since. */
  private async read(topic: string, { shard, messageId, parkedAt }: Parked): Promise<ParkedHalfMessage[]> {
    const names = [shard.halves, shard.halfStates];
    const reply = (await this.caller.run('read-half', names, [messageId], 'buffer')) as Buffer[] | null;
    if (!reply) return [];
    const [, tag, orderingKey, meta, body, producerGroup, checks, since] = reply as [Buffer, ...Buffer[]];
    const message = { messageId, tag: tag!.toString(), orderingKey: orderingKey!.toString(), meta: meta!, body: body! };
    return [
      {
        topic,
        messageId,
        producerGroup: producerGroup!.toString(),
        checks: Number(checks!.toString()),
        since: new Date(Number(since!.toString())),
        parkedAt: new Date(parkedAt),
        ...searchedOf(message),
        message,
      },
    ];
  }
}
