// What the contract cannot play: sockets that end, replies that are lost, data that is gone, and time to live.
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mq, type MqEventMap } from '@millrace/core';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { Redis } from 'ioredis';
import { connectRedis } from './connect-redis.js';
import { scriptText } from './scripts.js';

const server = new URL(process.env['REDIS_URL']!);
const TOPIC = 'prices';

let proxy: TcpProxy;
let redis: Redis;
let namespace: string;
let sender: Mq;
let listening: Mq;
let got: unknown[];
let gaps: MqEventMap['gap'][];

beforeEach(async () => {
  namespace = `broadcast-${randomBytes(6).toString('hex')}`;
  redis = new Redis(server.href);
  proxy = await startTcpProxy({ port: Number(server.port), host: server.hostname });
  sender = new Mq(connectRedis({ connection: server.href, namespace }));
  [got, gaps] = [[], []];
  listening = listener({});
  await listening.start();
});

afterEach(async () => {
  await Promise.all([listening.close(), sender.close(), redis.quit()]);
  await proxy.close();
});

function listener(options: { instance?: string }): Mq {
  const mq = new Mq(connectRedis({ connection: `redis://127.0.0.1:${proxy.port}`, namespace }));
  mq.listen({ topic: TOPIC, group: 'cache', mode: 'broadcast', ...options }, async ({ message }) => {
    got.push(message.body);
  });
  mq.events.on('gap', (gap) => gaps.push(gap));
  return mq;
}

const keys = (): Promise<string[]> => redis.keys(`{${namespace}:*`);

/** Sends, and waits until each of these was handled. */
async function pass(mq: Mq, ...bodies: number[]): Promise<void> {
  let left = bodies.length;
  const all = new Promise<void>((resolve) => {
    mq.events.on('done', () => {
      if (--left === 0) resolve();
    });
  });
  await sender.producer.sendAll(bodies.map((body) => ({ destination: TOPIC, body })));
  await all;
}

describe('a broadcast listener on Redis', () => {
  it('goes on after its sockets were cut, and every message comes once', async () => {
    await pass(listening, 1, 2);
    proxy.reset();
    await pass(listening, 3, 4);
    proxy.reset();
    await pass(listening, 5);
    expect(got.toSorted()).toEqual([1, 2, 3, 4, 5]);
    expect(gaps).toEqual([]);
  });

  it('asks again when the reply to a read was lost, and every message comes once', async () => {
    const text = scriptText('read-broadcast');
    const words = [createHash('sha1').update(text).digest('hex'), Buffer.from(text).toString('latin1')];
    await pass(listening, 1);
    const loss = proxy.dropNextReplyTo((request) => words.some((word) => request.toString('latin1').includes(word)));
    await pass(listening, 2);
    await loss.done;
    await pass(listening, 3);
    expect(got.toSorted()).toEqual([1, 2, 3]);
  });

  it('goes on after all data was flushed, delivers nothing again, and says anew that it reads the topic', async () => {
    await pass(listening, 1, 2, 3);
    await redis.unlink(...(await keys()));
    await pass(listening, 4);
    await pass(listening, 5, 6, 7, 8);
    expect(got.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(gaps).toEqual([]);
    expect(await redis.hexists(`{${namespace}:${TOPIC}:0}:meta`, 'broadcast:cache')).toBe(1);
  });

  it('leaves no consumer group, no pending entry and no key of its own; a named instance one key that expires', async () => {
    await pass(listening, 1, 2);
    const before = await keys();
    expect(before.filter((key) => !/:(meta|q:\d|tok:.*)$/.test(key))).toEqual([]);
    for (const stream of before.filter((key) => /:q:\d$/.test(key)))
      expect(await redis.xinfo('GROUPS', stream)).toEqual([]);
    const named = listener({ instance: 'pod-1' });
    await named.start();
    await pass(named, 3);
    await named.close();
    const place = `{${namespace}:${TOPIC}:0}:b:cache:pod-1`;
    expect(await redis.pttl(place)).toBeGreaterThan(86_000_000);
  });

  it('a named instance goes on where it was when it closed', async () => {
    const first = listener({ instance: 'pod-1' });
    await first.start();
    await pass(first, 1);
    await first.close();
    await pass(listening, 2);
    got = [];
    const second = listener({ instance: 'pod-1' });
    const handled = second.events.next('done');
    await second.start();
    await handled;
    await second.close();
    expect(got).toEqual([2]);
  });
});
