// What every part of a scale run stands on: a server of its own, a raw client, broker connections, chance.
import { connectRedis, type RedisPorts } from '@millrace/redis';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { Prng } from '../fault/prng.js';
import { startProbe, type ProbeResult } from '../fault/stage/ping-probe-process.js';

export const NAMESPACE = 'scale';
const PROBE_START_MS = 30_000;
const PINGS_AT_WORK = 20;

export interface GroundOptions {
  readonly part: string;
  /** How many there are of what is measured: 1 M in a full run. */
  readonly many: number;
  readonly isQuick: boolean;
  readonly seed: number;
  readonly say: (text: string) => void;
}

export class Ground {
  readonly prng: Prng;
  private readonly opened: RedisPorts[] = [];

  private constructor(
    readonly options: GroundOptions,
    readonly server: RedisServer,
    readonly redis: Redis,
  ) {
    this.prng = new Prng(options.seed, options.part);
  }

  /** A server with the settings it comes with: whatever they are, the limits have to hold. */
  static async open(options: GroundOptions): Promise<Ground> {
    const server = await startRedis();
    return new Ground(options, server, new Redis(server.url, { protocol: 2 }));
  }

  get many(): number {
    return this.options.many;
  }

  say(text: string): void {
    this.options.say(text);
  }

  /** Connections like those of one more process. */
  connect(): RedisPorts {
    const ports = connectRedis({ connection: this.server.url, namespace: NAMESPACE });
    this.opened.push(ports);
    return ports;
  }

  /** One figure of `INFO`. */
  async info(section: string, name: string): Promise<number> {
    const text = await this.redis.info(section);
    return Number(new RegExp(`^${name}[:=]([\\d.]+)`, 'm').exec(text)?.[1] ?? 0);
  }

  usedBytes(): Promise<number> {
    return this.info('memory', 'used_memory');
  }

  /** Pings the server every millisecond, from a process of its own, while `work` goes on. */
  async probed(work: () => Promise<void>): Promise<ProbeResult> {
    const pings = (): Promise<number> => this.info('commandstats', 'cmdstat_ping:calls');
    const before = await pings();
    const probe = await startProbe(this.server);
    try {
      // A process takes its time to start: it is at work once the server has answered a few of its pings.
      await until('the probe is at work', PROBE_START_MS, async () => (await pings()) > before + PINGS_AT_WORK);
      await work();
    } finally {
      await probe.end();
    }
    return probe.end();
  }

  async close(): Promise<void> {
    await Promise.all(this.opened.map(({ broker }) => broker.close()));
    this.redis.disconnect();
    await this.server.stop();
  }
}

/** Waits for what others do: looks four times a second. */
export async function until(what: string, timeoutMs: number, condition: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
