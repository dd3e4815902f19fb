// A server whose memory is full (noeviction): sends are refused by name, what leads to memory being freed goes on, and
// once the backlog is drained sends are taken again. A server of its own: its memory is limited.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mq, type MqError } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { until } from '../support/until.js';

const TOPIC = 'parcels';
/** Not to be compressed. */
const BODY = randomBytes(32 * 1024);
const ROOM = 6 * 1024 * 1024;

let server: RedisServer;
let admin: Redis;
let mq: Mq;
let handled: Set<string>;
let open: () => void;

function consumer(mode: 'concurrent' | 'ordered', gate: Promise<void>): Mq {
  const made = new Mq(connectRedis({ connection: server.url, namespace: 'oom', sendTimeout: '2s' }), {
    topics: [{ topic: TOPIC, queues: 1, retention: 0, retentionCount: 0 }],
  });
  const backoff = { type: 'fixed', delay: '10ms' } as const;
  made.listen({ topic: TOPIC, group: 'g', mode, lease: '1s', backoff }, async ({ message, attempt }) => {
    await gate;
    // Every third fails once: a retry must be stored while there is no room.
    if (attempt === 1 && handled.size % 3 === 0) throw new Error('once');
    handled.add(message.messageId);
  });
  return made;
}

beforeEach(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  handled = new Set();
});

afterEach(async () => {
  open();
  await mq.close();
  admin.disconnect();
  await server.stop();
});

const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await admin.info('memory'))![1]);

const sendOne = (of: Mq, delay?: string): Promise<string> =>
  of.producer.send(TOPIC, BODY, { orderingKey: 'k', delay }).then(
    ({ messageId }) => messageId,
    (error: MqError) => error.code,
  );

describe('a server that is out of memory', () => {
  it.each(['concurrent', 'ordered'] as const)(
    'refuses sends by name, while a consumer of %s mode settles, retries and promotes, and drains it; then it takes sends again',
    async (mode) => {
      mq = consumer(mode, new Promise((resolve) => (open = resolve)));
      await mq.start();
      const sent = await Promise.all(Array.from({ length: 10 }, () => sendOne(mq, '300ms')));
      await admin.config('SET', 'maxmemory', (await used()) + ROOM);
      for (let last = ''; last !== 'MQ_OUT_OF_MEMORY'; sent.push(last)) last = await sendOne(mq);
      sent.pop();
      // Full for good: only what a drain frees is free.
      await admin.config('SET', 'maxmemory', (await used()) - 1024 * 1024);
      expect(await sendOne(mq)).toBe('MQ_OUT_OF_MEMORY');
      open();
      await until('the backlog is drained', () => sent.every((messageId) => handled.has(messageId)));
      await until('every ack is stored', async () => (await mq.admin.stats(TOPIC)).groups[0]!.leased === 0);
      const accepted = async (): Promise<boolean> => {
        await mq.ports.broker.trim(TOPIC);
        return (await sendOne(mq)) !== 'MQ_OUT_OF_MEMORY';
      };
      await expect(until('sends are taken again', accepted)).resolves.toBe(true);
    },
  );

  it.each(['concurrent', 'ordered'] as const)(
    'is drained by a consumer of %s mode that starts only then',
    async (mode) => {
      const sender = consumer(mode, Promise.resolve());
      mq = consumer(mode, new Promise((resolve) => (open = resolve)));
      open();
      await sender.start();
      await sender.stopConsuming();
      const sent = [await sendOne(sender), await sendOne(sender)];
      await sender.close();
      await admin.config('SET', 'maxmemory', (await used()) - 100_000);
      await mq.start();
      await expect(until('all are handled', () => sent.every((messageId) => handled.has(messageId)))).resolves.toBe(
        true,
      );
    },
  );
});
