// The server goes away and comes back, or loses what it holds, while messages travel. A server of its own: it is killed.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mq } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { until } from '../support/until.js';

const TOPIC = 'orders';
const GROUP = 'billing';

let server: RedisServer;
let mq: Mq;
let handled: Map<number, number>;

beforeEach(async () => {
  server = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  mq = new Mq(connectRedis({ connection: server.url, namespace: 'restart', sendTimeout: '20s' }));
  handled = new Map();
  mq.listen(
    { topic: TOPIC, group: GROUP, lease: '1s', backoff: { type: 'fixed', delay: '50ms' } },
    async ({ message }) => {
      const number = message.body as number;
      handled.set(number, (handled.get(number) ?? 0) + 1);
    },
  );
  await mq.start();
});

afterEach(async () => {
  await mq.close();
  await server.stop();
});

/** Sends numbers one after the other until `enough`, and returns those that were acknowledged. */
async function sendUntil(enough: () => boolean): Promise<number[]> {
  const acknowledged: number[] = [];
  for (let number = 0; !enough(); number++) {
    await mq.producer.send(TOPIC, number);
    acknowledged.push(number);
  }
  return acknowledged;
}

const allHandled = (numbers: readonly number[]): Promise<boolean> =>
  until(`${numbers.length} messages are handled`, () => numbers.every((number) => handled.has(number)));

describe('a Redis that is killed and started again', () => {
  it('has lost no acknowledged message, and consuming goes on by itself', async () => {
    let restarted = false;
    const sending = sendUntil(() => restarted && handled.size > 200);
    await until('messages are handled', () => handled.size > 50);
    await server.kill();
    await server.restart();
    restarted = true;
    const acknowledged = await sending;
    await allHandled(acknowledged);
    const stats = await mq.admin.stats(TOPIC);
    expect(stats.accepted).toBe(acknowledged.length);
    await until('every ack is stored', async () => (await mq.admin.stats(TOPIC)).groups[0]!.leased === 0);
  });

  it('still holds its delayed messages and retries', async () => {
    await mq.producer.send(TOPIC, 1, { delay: '300ms' });
    await server.kill();
    await server.restart();
    await expect(allHandled([1])).resolves.toBe(true);
  });
});

describe('a Redis that loses what it holds', () => {
  it.each([
    ['everything', (redis: Redis) => redis.flushall()],
    ['the group', (redis: Redis) => redis.xgroup('DESTROY', `{restart:${TOPIC}:0}:q:0`, GROUP)],
    ['its scripts', (redis: Redis) => redis.script('FLUSH')],
  ])('(%s) is set up again, and later messages are handled', async (_, lose) => {
    await mq.producer.sendAll(Array.from({ length: 20 }, (_element, body) => ({ destination: TOPIC, body })));
    await allHandled([0, 19]);
    const redis = new Redis(server.url);
    await lose(redis);
    await redis.quit();
    const later = Array.from({ length: 20 }, (_element, index) => 100 + index);
    for (const body of later) await mq.producer.send(TOPIC, body);
    await expect(allHandled(later)).resolves.toBe(true);
  });
});

describe('a Redis that stands still for a while', () => {
  it('delays what is sent meanwhile and doubles nothing', async () => {
    await mq.producer.send(TOPIC, 0);
    await allHandled([0]);
    server.pause();
    let isAnswered = false;
    const sending = mq.producer.sendAll([1, 2, 3].map((body) => ({ destination: TOPIC, body })));
    void sending.then(() => (isAnswered = true));
    const impatient = new Redis(server.url, { commandTimeout: 300 });
    await expect(impatient.ping()).rejects.toThrow('timed out');
    impatient.disconnect();
    expect(isAnswered).toBe(false);
    server.resume();
    expect((await sending).every(({ ok }) => ok)).toBe(true);
    await allHandled([1, 2, 3]);
    expect((await mq.admin.stats(TOPIC)).accepted).toBe(4);
  });
});
