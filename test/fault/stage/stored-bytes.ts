// What the keys of a server take in memory, key by key: without the client buffers and caches of `used_memory`.
import type { Redis } from 'ioredis';

export async function storedBytes(redis: Redis): Promise<number> {
  let bytes = 0;
  for await (const keys of redis.scanStream({ count: 1_000 })) {
    const sizes = await Promise.all((keys as string[]).map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
    bytes += sizes.reduce((sum: number, size) => sum + (size ?? 0), 0);
  }
  return bytes;
}
