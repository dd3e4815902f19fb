// Steady traffic over all shards of a topic, for specs that do something to the servers meanwhile.
import { randomBytes } from 'node:crypto';
import { Mq } from '@millrace/core';
import type { RedisConnection } from '../src/connection-options.js';
import { connectRedis } from '../src/connect-redis.js';
import { ShardKeys } from '../src/keys.js';

const BETWEEN_SENDS_MS = 4;
/** Of every third message: due messages come and go, so that their store is empty now and then. */
const DELAY = '30ms';
const LOOK_EVERY_MS = 5;

export interface Sent {
  readonly messageId: string;
  readonly shard: number;
  /** Monotonic ms at which the send was accepted. */
  readonly at: number;
}

export class Traffic {
  readonly topic = 'orders';
  readonly namespace = `traffic-${randomBytes(4).toString('hex')}`;
  readonly accepted: Sent[] = [];
  /** What sends were rejected with. */
  readonly refused: unknown[] = [];
  /** Message id → how often a handler has run. */
  readonly handled = new Map<string, number>();
  readonly mq: Mq;
  private readonly sending = new Set<Promise<void>>();
  private sender: Promise<void> | undefined;
  private stopped = false;
  private tried = 0;

  constructor(
    connection: RedisConnection,
    readonly shards: number,
  ) {
    const ports = connectRedis({ connection, namespace: this.namespace });
    this.mq = new Mq(ports, { topics: [{ topic: this.topic, shards, queues: shards }] });
    this.mq.listen({ topic: this.topic, group: 'billing', lease: '5s' }, async ({ message }) => {
      this.handled.set(message.messageId, (this.handled.get(message.messageId) ?? 0) + 1);
    });
  }

  /** A key of a shard, to say which node is meant. */
  keyOf(shard: number): string {
    return new ShardKeys(this.namespace, this.topic, shard).meta;
  }

  async start(): Promise<void> {
    await this.mq.start();
    this.sender = this.sendOn();
    await this.flows();
  }

  /** Resolves once, on every shard, a message that was accepted after this call has been handled. */
  async flows(withinMs = 20_000): Promise<void> {
    const since = performance.now();
    await until('messages are sent and handled on every shard', withinMs, () => {
      const seen = new Set<number>();
      for (const { shard, at, messageId } of this.accepted.toReversed()) {
        if (at < since || seen.size === this.shards) break;
        if (this.handled.has(messageId)) seen.add(shard);
      }
      return seen.size === this.shards;
    });
  }

  /** Ends the sending and resolves once nothing more is to come; gives what was accepted and never handled. */
  async finish(mayBeLost: (sent: Sent) => boolean = () => false): Promise<Sent[]> {
    this.stopped = true;
    await this.sender;
    await Promise.all(this.sending);
    const missing = (): Sent[] => this.accepted.filter(({ messageId }) => !this.handled.has(messageId));
    await until('everything accepted is handled', 20_000, () => missing().every(mayBeLost));
    return missing();
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.mq.close();
    await this.sender;
    await Promise.all(this.sending);
  }

  /** At a steady pace, whatever earlier sends are waiting for: one shard must not stop the others. */
  private async sendOn(): Promise<void> {
    while (!this.stopped) {
      const one = this.sendOne().finally(() => this.sending.delete(one));
      this.sending.add(one);
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_SENDS_MS));
    }
  }

  private async sendOne(): Promise<void> {
    try {
      const delay = this.tried++ % 3 === 0 ? DELAY : undefined;
      const { messageId, queue } = await this.mq.producer.send(this.topic, 'x', { delay });
      this.accepted.push({ messageId, shard: queue, at: performance.now() });
    } catch (error) {
      this.refused.push(error);
    }
  }
}

async function until(what: string, withinMs: number, look: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!look()) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
