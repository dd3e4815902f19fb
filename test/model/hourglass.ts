// What a test may do to time that nobody else can: let a consumer's leases run out, and let an hour pass, at once.
import { Redis } from 'ioredis';
import type { InMemoryStore, ManualClock } from '@millrace/testing';
import { HOUR_MS } from './draft.js';
import type { Shape } from './broker-model.js';

export interface Hourglass {
  /** Makes the present leases of a consumer expire; nobody else's. */
  expire(topic: string, group: string, consumer: string): Promise<void>;
  /** Makes what is due within an hour due. */
  advance(topic: string): Promise<void>;
  close(): Promise<void>;
}

/** So long that no lease runs out by itself. */
export const LEASE_MS = 100 * HOUR_MS;

export function inMemoryHourglass(store: InMemoryStore, clock: ManualClock): Hourglass {
  return {
    async expire(topic, group, consumer) {
      for (const { pending } of store.find(topic)!.groups.get(group)!.shards)
        for (const entry of pending.values()) if (entry.consumer === consumer) entry.leaseUntil = 0;
    },
    // Leases last longer than all the hours of a run.
    advance: () => clock.advance(HOUR_MS + 1),
    close: async () => undefined,
  };
}

export function redisHourglass(url: string, namespace: string, shape: Shape): Hourglass {
  const redis = new Redis(url);
  const keys = (topic: string, pattern: string): Promise<string[]> =>
    redis.keys(`{${namespace}:${topic}:*}:${pattern}`);
  return {
    async expire(topic, group, consumer) {
      for (let shard = 0; shard < shape.shards; shard++) {
        const prefix = `{${namespace}:${topic}:${shard}}:`;
        const queues = Array.from({ length: shape.queues / shape.shards }, (_, queue) => `${prefix}q:${queue}`);
        for (const stream of [...queues, `${prefix}g:${group}:rs:0`]) {
          const rows = (await redis.xpending(stream, group, '-', '+', 1000, consumer)) as [string][];
          const ids = rows.map(([id]) => id);
          // To the owner itself: only how long it was silent changes.
          if (ids.length > 0)
            await redis.call('XCLAIM', stream, group, consumer, 0, ...ids, 'IDLE', 2 * LEASE_MS, 'JUSTID');
        }
      }
    },
    async advance(topic) {
      for (const zset of [...(await keys(topic, 'dz:*')), ...(await keys(topic, 'g:*:rz'))]) {
        const rows = await redis.zrange(zset, 0, '-1', 'WITHSCORES');
        for (let at = 0; at < rows.length; at += 2) await redis.zincrby(zset, -HOUR_MS - 1000, String(rows[at]));
      }
    },
    close: async () => void (await redis.quit()),
  };
}
