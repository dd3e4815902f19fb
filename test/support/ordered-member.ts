// One process of ordered-rolling-restart.e2e.spec.ts:
//
//   node ordered-member.js consumer|producer <namespace> <name>          REDIS_URL in the environment
//
// A producer sends one message of every key again and again. A consumer notes in a list of Redis when each handler starts
// and ends: the list is the one order of events over all processes. Both end in good order with SIGTERM.
import { Mq, queueOf, type Handler } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { Redis } from 'ioredis';

export const QUEUES = 16;
export const KEYS = 64;
export const LEASE_MS = 2_000;
const SEND_EVERY_MS = 100;

/** What is noted, as JSON. */
export interface Note {
  readonly event: 'start' | 'end';
  readonly key: string;
  readonly number: number;
  readonly queue: number;
  readonly member: string;
  /** Unix ms; all processes share a machine. */
  readonly at: number;
}

export const notesKey = (namespace: string): string => `${namespace}-notes`;
export const sentKey = (namespace: string): string => `${namespace}-sent`;

async function main(role: string, namespace: string, member: string): Promise<void> {
  const redis = new Redis(process.env.REDIS_URL!);
  const mq = new Mq(connectRedis({ connection: process.env.REDIS_URL!, namespace }));
  mq.declareTopic({ topic: 'orders', queues: QUEUES });
  const ended = new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));
  if (role === 'producer') {
    await produce(mq, redis, namespace, ended);
  } else {
    listen(mq, redis, namespace, member);
    await mq.start();
    await ended;
  }
  await mq.close();
  await redis.quit();
}

async function produce(mq: Mq, redis: Redis, namespace: string, ended: Promise<void>): Promise<void> {
  await mq.start();
  let isOver = false;
  void ended.then(() => (isOver = true));
  for (let number = 0; !isOver; number++) {
    const batch = Array.from({ length: KEYS }, (_, key) => `key-${key}`).map((key) => {
      return { destination: 'orders', body: { key, number }, options: { orderingKey: key } };
    });
    const results = await mq.producer.sendAll(batch);
    await redis.incrby(sentKey(namespace), results.filter(({ ok }) => ok).length);
    await new Promise((resolve) => setTimeout(resolve, SEND_EVERY_MS));
  }
}

function listen(mq: Mq, redis: Redis, namespace: string, member: string): void {
  const failed = new Set<string>();
  const handler: Handler<{ key: string; number: number }> = async ({ message: { body } }) => {
    const { key, number } = body;
    const note = (event: Note['event']): Promise<number> => {
      const text: Note = { event, key, number, queue: queueOf(key, QUEUES), member, at: Date.now() };
      return redis.rpush(notesKey(namespace), JSON.stringify(text));
    };
    await note('start');
    // Some fail once in each process, so that parked keys change hands too.
    if (number % 10 === 9 && !failed.has(`${key} ${number}`)) {
      failed.add(`${key} ${number}`);
      throw new Error('once');
    }
    await note('end');
  };
  const backoff = { type: 'fixed', delay: '200ms' } as const;
  mq.listen(
    { topic: 'orders', group: 'g', mode: 'ordered', lease: LEASE_MS, concurrency: 100, backoff, maxAttempts: 50 },
    handler,
  );
}

const [role, namespace, member] = process.argv.slice(2);
if (role !== undefined && namespace !== undefined && import.meta.filename === process.argv[1])
  await main(role, namespace, member ?? '');
