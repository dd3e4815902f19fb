// Sending: append or schedule, after asking the identity record. Mirrors what must be one atomic step in any store.
import {
  IdempotencyConflictError,
  queueOf,
  routeOf,
  TopicError,
  topicFull,
  unprovable,
  type OutgoingMessage,
  type SendReceipt,
  type SendResult,
  type StoredMessage,
} from '@millrace/core';
import { hasRoom, makeRoom } from './bound.js';
import type { InMemoryStore } from './in-memory-store.js';
import type { Shard } from './shard.js';
import type { StoredTopic } from './stored-topic.js';

/** Told of what was scheduled, so that upkeep can be in time. */
export type OnScheduled = (topic: string, shard: number, dueInMs: number) => void;

export function sendOne(store: InMemoryStore, message: OutgoingMessage, onScheduled: OnScheduled): SendResult {
  const topic = store.find(message.topic);
  if (!topic) {
    const error = new TopicError(message.topic, `topic ${message.topic} does not exist`, 'MQ_TOPIC_NOT_FOUND');
    return { ok: false, error };
  }
  if (message.durability && !store.provesAll)
    return { ok: false, error: unprovable('the in-memory broker keeps nothing beyond its process') };
  const now = store.now();
  const route = routeOf(message.routingKey, topic.settings);
  const shard = topic.shards[route.shard]!;
  const known = message.identity && shard.records.get(message.identity.record, now);
  if (known && known.digest !== message.identity?.digest)
    return { ok: false, error: new IdempotencyConflictError(message.topic, message.identity?.key, known.messageId) };
  if (known) return { ok: true, receipt: duplicateReceipt(topic, shard, known) };

  const dueAt = dueOf(message, now);
  if (dueAt <= now && !hasRoom(topic, route.shard)) return { ok: false, error: topicFull(topic.settings) };
  const queue = queueOf(message.routingKey, topic.settings.queues);
  if (message.identity) {
    const expiresAt = Math.max(now, dueAt) + topic.settings.idempotencyWindowMs;
    const { record, digest } = message.identity;
    shard.records.put(record, { messageId: message.messageId, digest, queue, storedAt: now, expiresAt });
  }
  topic.accepted++;
  const receipt = { messageId: message.messageId, topic: message.topic, queue, duplicate: false };
  if (dueAt <= now) {
    shard.queues[route.queue]!.append(storedCopy(message), now);
    makeRoom(topic, route.shard);
    shard.arrivals.announce();
    return { ok: true, receipt: { ...receipt, state: 'accepted' } };
  }
  shard.scheduled.add({
    id: message.messageId,
    dueAt,
    sequence: store.nextSequence(),
    value: { message: storedCopy(message), queue: route.queue, record: message.identity?.record },
  });
  onScheduled(message.topic, route.shard, dueAt - now);
  return { ok: true, receipt: { ...receipt, state: 'scheduled', dueAt: new Date(dueAt) } };
}

/** The first send's receipt with the message's present state. */
export function duplicateReceipt(
  topic: StoredTopic,
  shard: Shard,
  first: { messageId: string; queue: number },
): SendReceipt {
  const waiting = shard.scheduled.get(first.messageId);
  const receipt = { messageId: first.messageId, topic: topic.settings.topic, queue: first.queue, duplicate: true };
  if (shard.halves.all.has(first.messageId)) return { ...receipt, state: 'half' };
  return waiting
    ? { ...receipt, state: 'scheduled', dueAt: new Date(waiting.dueAt) }
    : { ...receipt, state: 'accepted' };
}

function dueOf(message: OutgoingMessage, now: number): number {
  if (!message.due) return now;
  return 'atMs' in message.due ? message.due.atMs : now + message.due.delayMs;
}

/** What is stored, as bytes of their own: what a caller does to its buffers later must not reach the store. */
export function storedCopy(message: Omit<OutgoingMessage, 'topic' | 'routingKey'>): StoredMessage {
  return {
    messageId: message.messageId,
    tag: message.tag,
    orderingKey: message.orderingKey,
    meta: Buffer.from(message.meta),
    body: Buffer.from(message.body),
  };
}
