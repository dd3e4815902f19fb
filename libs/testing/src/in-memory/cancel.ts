// Cancel and reschedule: both find a scheduled message by its id or its idempotency key; the answer is final.
import {
  halfPending,
  idRecord,
  keyRecord,
  routeOf,
  type CancelResult,
  type MessageRef,
  type RescheduleResult,
} from '@millrace/core';
import type { DueItem } from './due-store.js';
import type { InMemoryStore } from './in-memory-store.js';
import type { OnScheduled } from './send.js';
import type { ScheduledMessage, Shard } from './shard.js';
import type { StoredTopic } from './stored-topic.js';

interface Found {
  shard: Shard;
  index: number;
  item: DueItem<ScheduledMessage>;
}

export function cancel(store: InMemoryStore, topic: StoredTopic, ref: MessageRef): CancelResult {
  const found = findWaiting(topic, ref, store.now());
  if (typeof found === 'string') return found;
  const { shard, item } = found;
  shard.scheduled.remove(item.id);
  if (item.value.record !== undefined) shard.records.delete(item.value.record);
  topic.cancelled++;
  return 'cancelled';
}

export function reschedule(
  store: InMemoryStore,
  topic: StoredTopic,
  ref: MessageRef,
  due: { delayMs: number } | { atMs: number },
  onScheduled: OnScheduled,
): RescheduleResult {
  const now = store.now();
  const found = findWaiting(topic, ref, now);
  if (typeof found === 'string') return found;
  const { shard, item, index } = found;
  const dueAt = Math.max(now, 'atMs' in due ? due.atMs : now + due.delayMs);
  shard.scheduled.add({ ...item, dueAt });
  const record = item.value.record === undefined ? undefined : shard.records.get(item.value.record, now);
  if (record) record.expiresAt = Math.max(record.storedAt, dueAt) + topic.settings.idempotencyWindowMs;
  onScheduled(topic.settings.topic, index, dueAt - now);
  return 'rescheduled';
}

/** The message that waits under this name, or why there is none. */
export function findWaiting(
  topic: StoredTopic,
  ref: MessageRef,
  now: number,
): Found | 'already-delivered' | 'not-found' {
  let recorded = false;
  for (const index of shardsOf(topic, ref)) {
    const shard = topic.shards[index]!;
    const name = 'messageId' in ref ? idRecord(ref.messageId) : keyRecord(ref.idempotencyKey, ref.orderingKey);
    const record = shard.records.get(name, now);
    const id = 'messageId' in ref ? ref.messageId : (record?.messageId ?? '');
    if (shard.halves.all.has(id)) throw halfPending(topic.settings.topic, 'messageId' in ref ? id : ref.idempotencyKey);
    const item = shard.scheduled.get(id);
    if (item) return { shard, index, item };
    recorded ||= record !== undefined;
  }
  return recorded ? 'already-delivered' : 'not-found';
}

/** A key says where its message is; an id alone does not, since the message may have been routed by another key. */
function shardsOf(topic: StoredTopic, ref: MessageRef): number[] {
  if ('messageId' in ref) return [...topic.shards.keys()];
  return [routeOf(ref.orderingKey ?? ref.idempotencyKey, topic.settings).shard];
}
