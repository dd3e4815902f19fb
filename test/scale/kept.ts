// What the server keeps in hashes with a life of their own: records of idempotency keys, answers of calls.
import type { Redis } from 'ioredis';

export interface Kept {
  readonly keys: number;
  /** Fields of all of them. */
  readonly records: number;
}

/** Not while the end of what it counts is watched: a scan removes keys that have run out. */
export async function kept(redis: Redis, pattern: string): Promise<Kept> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1_000);
    for (const key of found) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  const lengths = await Promise.all([...keys].map((key) => redis.hlen(key)));
  return { keys: keys.size, records: lengths.reduce((sum, length) => sum + length, 0) };
}
