// One process that sends and consumes in both modes while its server misbehaves: what was acknowledged, what was handled,
// what the producer was told, and how busy the server was kept meanwhile.
import { Mq, SendUnknownError, type MqError } from '@millrace/core';
import { connectRedis, type RedisOptions } from '@millrace/redis';
import { Redis } from 'ioredis';
import { until } from './until.js';

const CONCURRENT = 'loose';
const ORDERED = 'strict';

/** How busy a server was between two looks. */
export interface ServerLoad {
  readonly calls: number;
  readonly connections: number;
  readonly seconds: number;
}

export class Trader {
  readonly mq: Mq;
  /** What the producer was told, in order: 'stored' or the code of the error. */
  readonly told: string[] = [];
  /** Errors of background loops since the start. */
  readonly loopErrors: string[] = [];
  private readonly stored: number[] = [];
  private readonly unknown: SendUnknownError[] = [];
  private readonly handled = new Map<number, number>();
  private readonly lastOfKey = new Map<string, number>();
  private readonly disorder: string[] = [];
  private next = 0;

  constructor(connection: RedisOptions['connection'], options: Partial<RedisOptions> = {}) {
    this.mq = new Mq(connectRedis({ namespace: 'trader', sendTimeout: '1s', ...options, connection }), {
      topics: [CONCURRENT, ORDERED].map((topic) => ({ topic, queues: 2, retention: 0 })),
    });
    this.mq.events.on('loop-error', ({ loop, error }) => this.loopErrors.push(`${loop}: ${String(error)}`));
    const listener = { group: 'g', lease: '2s', backoff: { type: 'fixed', delay: '50ms' } } as const;
    this.mq.listen<number>({ ...listener, topic: CONCURRENT, concurrency: 4 }, ({ message }) =>
      this.note(message.body),
    );
    this.mq.listen<number>({ ...listener, topic: ORDERED, mode: 'ordered' }, ({ message }) => {
      const { orderingKey = '', body } = message;
      // A redelivery may repeat the latest one, never something before it.
      if (body < (this.lastOfKey.get(orderingKey) ?? -1)) this.disorder.push(`${orderingKey}: ${body}`);
      this.lastOfKey.set(orderingKey, body);
      return this.note(body);
    });
  }

  /** Sends to both topics, one message after the other, and waits until both consumers have handled theirs. */
  async trade(): Promise<void> {
    for (let round = 0; round < 4; round++) await this.send();
    await this.allHandled();
  }

  /** One message to each topic; never rejects. */
  async send(): Promise<void> {
    const [loose, strict] = [this.next++, this.next++];
    await Promise.all([
      this.sendOne(loose, () => this.mq.producer.send(CONCURRENT, loose)),
      this.sendOne(strict, () => this.mq.producer.send(ORDERED, strict, { orderingKey: `key-${strict % 3}` })),
    ]);
  }

  /** Every unknown send is asked for again, then everything stored is handled, and in order. */
  async allHandled(): Promise<void> {
    for (const error of this.unknown.splice(0)) await error.retry();
    await until(
      `of ${this.stored.length} stored messages all are handled; loop errors: ${this.loopErrors.slice(-3).join(' | ')}`,
      () => this.stored.every((number) => this.handled.has(number)),
      20_000,
    );
    if (this.disorder.length > 0) throw new Error(`out of order: ${this.disorder.join(', ')}`);
  }

  /** How often messages were handled more than once. */
  get repeats(): number {
    return [...this.handled.values()].reduce((sum, times) => sum + times - 1, 0);
  }

  /** How many entries of both topics are leased, by the broker's own count. */
  async leased(): Promise<number> {
    const stats = await Promise.all([CONCURRENT, ORDERED].map((topic) => this.mq.admin.stats(topic)));
    return stats.reduce((sum, { groups }) => sum + (groups[0]?.leased ?? 0), 0);
  }

  private async sendOne(number: number, send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
      this.told.push('stored');
      this.stored.push(number);
    } catch (error) {
      this.told.push((error as MqError).code);
      if (!(error instanceof SendUnknownError)) return;
      this.unknown.push(error);
      this.stored.push(number);
    }
  }

  private async note(number: number): Promise<void> {
    this.handled.set(number, (this.handled.get(number) ?? 0) + 1);
  }
}

/** Counts every call that the server was asked for, refused ones included, from now until `end`. */
export async function watchLoad(url: string): Promise<{ end(): Promise<ServerLoad> }> {
  const before = await look(url);
  return {
    async end() {
      const after = await look(url);
      return {
        calls: after.calls - before.calls,
        connections: after.connections - before.connections,
        seconds: (after.at - before.at) / 1000,
      };
    },
  };
}

async function look(url: string): Promise<{ calls: number; connections: number; at: number }> {
  const redis = new Redis(url, { enableReadyCheck: false });
  redis.on('error', () => undefined);
  try {
    const [commands, stats] = [await redis.info('commandstats'), await redis.info('stats')];
    // Probes of the spec itself do not count.
    const counted = commands.replaceAll(/^cmdstat_ping:.*$/gm, '');
    const sum = (pattern: RegExp): number =>
      [...counted.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);
    return {
      calls: sum(/[:,]calls=(\d+)/g) + sum(/rejected_calls=(\d+)/g),
      connections: Number(/total_connections_received:(\d+)/.exec(stats)![1]),
      at: performance.now(),
    };
  } finally {
    redis.disconnect();
  }
}
