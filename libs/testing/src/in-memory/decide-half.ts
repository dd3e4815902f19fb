// The steps of a half message that end it: committed, rolled back.
import { HALF_OUTCOME_MS, type HalfAnswer } from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import type { OnScheduled } from './send.js';
import type { Shard } from './shard.js';
import type { Outcome, StoredHalf } from './stored-halves.js';
import type { StoredTopic } from './stored-topic.js';

/** What a sender may decide about, or the answer when it may not. */
export function undecided(shard: Shard, messageId: string, now: number): StoredHalf | HalfAnswer {
  const half = shard.halves.all.get(messageId);
  if (!half) return shard.halves.outcome(messageId, now) ?? { state: 'not-found' };
  return half.parkedAt === undefined ? half : { state: 'parked' };
}

export function commitHalf(
  store: InMemoryStore,
  topic: StoredTopic,
  index: number,
  half: StoredHalf,
  onScheduled: OnScheduled,
): HalfAnswer {
  const now = store.now();
  const shard = topic.shards[index]!;
  const { message, queue, due, record } = half;
  const { messageId } = message;
  const dueAt = due ? ('atMs' in due ? due.atMs : now + due.delayMs) : now;
  const known = record === undefined ? undefined : shard.records.get(record, now);
  if (known) known.expiresAt = Math.max(now, dueAt) + topic.settings.idempotencyWindowMs;
  const outcome: Outcome = dueAt > now ? { state: 'committed', dueAt: new Date(dueAt) } : { state: 'committed' };
  shard.halves.end(messageId, outcome, now + HALF_OUTCOME_MS);
  if (dueAt > now) {
    shard.scheduled.add({
      id: messageId,
      dueAt,
      sequence: store.nextSequence(),
      value: { message, queue, record },
    });
    onScheduled(topic.settings.topic, index, dueAt - now);
  } else {
    shard.queues[queue]!.append(message, now);
    shard.arrivals.announce();
  }
  return outcome;
}

export function rollbackHalf(topic: StoredTopic, index: number, half: StoredHalf, now: number): HalfAnswer {
  const shard = topic.shards[index]!;
  const outcome: Outcome = { state: 'rolled-back' };
  shard.halves.end(half.message.messageId, outcome, now + HALF_OUTCOME_MS);
  if (half.record !== undefined) shard.records.delete(half.record);
  topic.rolledBack++;
  return outcome;
}
