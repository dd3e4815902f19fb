// Cancel and reschedule: a message is looked for where its name says it lies.
import {
  BrokerRefusedError,
  bucketOf,
  halfPending,
  idRecord,
  keyRecord,
  routeOf,
  type CancelResult,
  type MessageRef,
  type RescheduleResult,
} from '@millrace/core';
import { UnknownFate, type Caller } from './caller.js';
import type { ShardKeys } from './keys.js';
import { dueText } from './sender.js';
import type { KnownTopic, Topics } from './topics.js';

/** Where a scheduled message may lie. */
interface Place {
  readonly shard: number;
  readonly keys: ShardKeys;
  /** Bucket that the record of the reference lies in, and its name there. */
  readonly records: string;
  readonly record: string;
  readonly messageId: string;
  /** Zset and hash of each bucket to look into. */
  readonly buckets: readonly string[];
}

export class Schedule {
  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
    private readonly scheduled: (topic: string, shard: number, dueInMs: number) => void,
  ) {}

  async cancel(topic: string, ref: MessageRef): Promise<CancelResult> {
    const known = this.topics.get(topic);
    const answers = places(known, ref).map(async ({ keys, records, record, messageId, buckets }) => {
      const args = [keys.recordPrefix, messageId, record];
      return this.final('cancel', keys, [keys.meta, keys.halves, records, ...buckets], args);
    });
    return best(topic, ref, await Promise.all(answers), 'CANCELLED', 'cancelled') as CancelResult;
  }

  async reschedule(
    topic: string,
    ref: MessageRef,
    due: { delayMs: number } | { atMs: number },
  ): Promise<RescheduleResult> {
    const known = this.topics.get(topic);
    const answers = places(known, ref).map(async ({ shard, keys, records, record, messageId, buckets }) => {
      const args = [keys.recordPrefix, messageId, record, dueText(due), known.settings.idempotencyWindowMs];
      const reply = await this.final('reschedule', keys, [keys.halves, records, ...buckets], args);
      if (reply.startsWith('RESCHEDULED'))
        this.scheduled(topic, shard, 'delayMs' in due ? due.delayMs : due.atMs - this.caller.now());
      return reply;
    });
    return best(topic, ref, await Promise.all(answers), 'RESCHEDULED', 'rescheduled') as RescheduleResult;
  }

  /** The answer of a frozen call; when none can be had at the deadline, the error says so. */
  private async final(
    name: 'cancel' | 'reschedule',
    keys: ShardKeys,
    names: string[],
    args: (string | number)[],
  ): Promise<string> {
    try {
      return await this.caller.freeze(name, (slot) => keys.slot(slot), names, args);
    } catch (error) {
      if (error instanceof UnknownFate)
        throw new BrokerRefusedError(
          `whether the ${name} took effect is not known; ask again`,
          'MQ_UNAVAILABLE',
          error.cause,
        );
      throw error;
    }
  }
}

/**
 * A business key names its shard and bucket. A message id names neither when the message was routed by another key, so
 * every shard and bucket is asked: at most one holds it, so the answer is still final.
 */
export function places({ settings, shards }: KnownTopic, ref: MessageRef): Place[] {
  if ('idempotencyKey' in ref) {
    const record = keyRecord(ref.idempotencyKey, ref.orderingKey);
    const { shard } = routeOf(ref.orderingKey ?? ref.idempotencyKey, settings);
    const keys = shards[shard]!;
    const buckets = pairs(keys, [bucketOf(record, settings.delayBuckets)]);
    return [{ shard, keys, records: keys.record(record), record, messageId: '', buckets }];
  }
  const all = Array.from({ length: settings.delayBuckets }, (_, bucket) => bucket);
  const record = idRecord(ref.messageId);
  return shards.map((keys, shard) => ({
    shard,
    keys,
    records: keys.record(record),
    record,
    messageId: ref.messageId,
    buckets: pairs(keys, all),
  }));
}

function best(topic: string, ref: MessageRef, answers: string[], word: string, done: string): string {
  if (answers.some((answer) => answer.startsWith(word))) return done;
  if (answers.includes('HALF')) throw halfPending(topic, 'messageId' in ref ? ref.messageId : ref.idempotencyKey);
  return answers.includes('ALREADY_DELIVERED') ? 'already-delivered' : 'not-found';
}

/** Zset and hash of each bucket. */
function pairs(keys: ShardKeys, buckets: number[]): string[] {
  return buckets.flatMap((bucket) => [keys.delayed(bucket), keys.delayedPayloads(bucket)]);
}
