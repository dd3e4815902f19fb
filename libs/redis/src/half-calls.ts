// Keys and arguments of the scripts about half messages.
import { HALF_OUTCOME_MS, type HalfOwner, type OutgoingMessage } from '@millrace/core';
import type { ShardKeys } from './keys.js';
import type { ScriptArgument, ScriptName } from './scripts.js';
import { dueText } from './sender.js';
import type { KnownTopic } from './topics.js';

/** A script call but for its slot. */
export interface HalfCall {
  readonly script: ScriptName;
  readonly shard: ShardKeys;
  readonly keys: string[];
  readonly args: ScriptArgument[];
}

/** Where a message lies, or will lie. */
export interface HalfPlace {
  readonly shard: ShardKeys;
  /** Queue inside the shard. */
  readonly queue: number;
  readonly bucket: number;
}

export type Decider = 'sender' | 'operator';

export function prepareCall(message: OutgoingMessage, owner: HalfOwner, { shard, queue, bucket }: HalfPlace): HalfCall {
  const { messageId, tag, orderingKey, meta, body, identity, due, routingKey } = message;
  const { producerGroup, checkAfterMs } = owner;
  const keys = [
    shard.meta,
    shard.halves,
    shard.halfStates,
    shard.halfChecks(producerGroup),
    shard.halfOutcome(messageId),
    shard.delayed(bucket),
    ...(identity ? [shard.record(identity.record)] : []),
  ];
  const { record = '', digest = '' } = identity ?? {};
  const place = [producerGroup, checkAfterMs, queue, due ? dueText(due) : '', bucket, record, digest, routingKey];
  const args = [...place, messageId, tag, orderingKey, meta, body];
  return { script: 'prepare-half', shard, keys, args };
}

export function commitCall({ settings }: KnownTopic, shard: ShardKeys, messageId: string, who: Decider): HalfCall {
  const queues = numbers(settings.queues / settings.shards);
  const buckets = numbers(settings.delayBuckets);
  const streams = queues.map((queue) => shard.queue(queue));
  const delayed = buckets.flatMap((bucket) => [shard.delayed(bucket), shard.delayedPayloads(bucket)]);
  const kept = [shard.halves, shard.halfStates, shard.parkedHalves, shard.halfOutcome(messageId)];
  const keys = [...kept, ...streams, ...delayed];
  const names = [queues.length, shard.halfChecks(''), shard.recordPrefix, messageId];
  const args = [...names, settings.idempotencyWindowMs, HALF_OUTCOME_MS, who];
  return { script: 'commit-half', shard, keys, args };
}

export function rollbackCall(shard: ShardKeys, messageId: string, who: Decider): HalfCall {
  const kept = [shard.halves, shard.halfStates, shard.parkedHalves, shard.halfOutcome(messageId)];
  const args = [shard.halfChecks(''), shard.recordPrefix, messageId, HALF_OUTCOME_MS, who];
  return { script: 'rollback-half', shard, keys: [shard.meta, ...kept], args };
}

export function resumeCall(shard: ShardKeys, messageId: string): HalfCall {
  const keys = [shard.halfStates, shard.parkedHalves];
  return { script: 'resume-half', shard, keys, args: [shard.halfChecks(''), messageId] };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
