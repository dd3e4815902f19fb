// Where a message goes: a pure function of its key, the same from every process, language and outbox row.
import { crc32 } from 'node:zlib';

export interface Route {
  readonly shard: number;
  /** Queue inside the shard. */
  readonly queue: number;
}

/** Queue over all shards = CRC-32 of the UTF-8 routing key modulo the number of queues. */
export function queueOf(routingKey: string, queues: number): number {
  return crc32(routingKey) % queues;
}

/** Shard and queue inside it; queues are dealt out to shards in blocks of `queues / shards`. */
export function routeOf(routingKey: string, topic: { shards: number; queues: number }): Route {
  const queue = queueOf(routingKey, topic.queues);
  const perShard = topic.queues / topic.shards;
  return { shard: Math.floor(queue / perShard), queue: queue % perShard };
}

/** Bucket of the delay store: bounded, so that no zset or hash grows beyond what Redis can migrate or free quickly. */
export function bucketOf(messageId: string, buckets: number): number {
  return crc32(messageId) % buckets;
}

/** Name of the dedup record of an idempotency key: its scope is the ordering key when there is one. */
export function keyRecord(idempotencyKey: string, orderingKey = ''): string {
  return orderingKey === '' ? `k:${idempotencyKey}` : `o:${orderingKey.length}:${orderingKey}:${idempotencyKey}`;
}

/** Name of the dedup record of an explicit message id. */
export function idRecord(messageId: string): string {
  return `m:${messageId}`;
}
