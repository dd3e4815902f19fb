// The floor of latency: a blocked group read on one connection, appends on another, nothing around them.
import { Redis } from 'ioredis';
import { atRate, percentile, type Bench, type Contender } from '../scenario.js';

const STREAM = 'raw-latency';
const GROUP = 'raw';

type Reply = [string, [string, string[]][]][] | null;

/** Its median stands against every percentile of ours. */
export async function rawLatency(bench: Bench, name: string, count: number, perSecond: number): Promise<Contender> {
  const reader = new Redis(bench.redisUrl);
  const writer = new Redis(bench.redisUrl);
  return {
    name,
    prepare: async () => void (await writer.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM')),
    async run() {
      const times: number[] = [];
      const sending = atRate(count, perSecond, () => writer.xadd(STREAM, '*', 'at', String(performance.now())));
      while (times.length < count) {
        const read = reader.xreadgroup('GROUP', GROUP, 'c', 'COUNT', 100, 'BLOCK', 5000, 'STREAMS', STREAM, '>');
        const entries = ((await read) as Reply)?.[0]?.[1] ?? [];
        const now = performance.now();
        for (const [, fields] of entries) times.push(now - Number(fields[1]));
        if (entries.length > 0) void reader.xack(STREAM, GROUP, ...entries.map(([id]) => id));
      }
      await sending;
      const median = percentile(times, 0.5);
      return [median, median];
    },
    close: async () => {
      reader.disconnect();
      writer.disconnect();
    },
  };
}
