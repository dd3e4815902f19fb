// The floor: what the same server gives to plain ioredis calls, without any guarantee.
import { Redis } from 'ioredis';
import { BODY, expectCount, rate, type Bench, type Contender } from '../scenario.js';

const STREAM = 'raw';
const GROUP = 'raw';
const READ = 200;
const ID_PREFIX = '0190a5c2-7d2e-7000-8000-'; // with the number behind it about as long as a UUID

/** Header and body of the length that Millrace writes, in two named fields, as one writes them by hand. */
export function addArguments(id: number): [string, '*', ...string[]] {
  return [STREAM, '*', 'h', `${ID_PREFIX}${id}\n\n0\n{"v":1,"at":${Date.now()}}`, 'b', JSON.stringify(BODY)];
}

export async function rawSending(
  bench: Bench,
  name: string,
  count: number,
  work: (redis: Redis, count: number) => Promise<void>,
): Promise<Contender> {
  const redis = new Redis(bench.redisUrl);
  return {
    name,
    async run() {
      const started = performance.now();
      await work(redis, count);
      const perSecond = rate(count, started);
      expectCount('entries stored', await redis.xlen(STREAM), count);
      return perSecond;
    },
    close: async () => redis.disconnect(),
  };
}

/** Read, parse, acknowledge, one batch after the other. */
export async function rawConsuming(bench: Bench, count: number): Promise<Contender> {
  const redis = new Redis(bench.redisUrl);
  return {
    name: 'ioredis read + ack',
    async prepare() {
      for (let sent = 0; sent < count; sent += 1000) {
        const pipeline = redis.pipeline();
        for (let id = sent; id < sent + 1000; id++) pipeline.xadd(...addArguments(id));
        await pipeline.exec();
      }
      await redis.xgroup('CREATE', STREAM, GROUP, '0');
    },
    async run() {
      const started = performance.now();
      let handled = 0;
      while (handled < count) {
        const reply = (await redis.xreadgroup('GROUP', GROUP, 'c', 'COUNT', READ, 'STREAMS', STREAM, '>')) as
          | [string, [string, string[]][]][]
          | null;
        const entries = reply?.[0]?.[1] ?? [];
        if (entries.length === 0) break;
        for (const [, fields] of entries) JSON.parse(fields[3]!);
        handled += entries.length;
        await redis.xack(STREAM, GROUP, ...entries.map(([id]) => id));
      }
      const perSecond = rate(handled, started);
      expectCount('entries read', handled, count);
      return perSecond;
    },
    close: async () => redis.disconnect(),
  };
}
