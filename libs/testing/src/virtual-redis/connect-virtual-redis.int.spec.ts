// What is particular to a real server whose time a test moves.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { ManualClock } from '../manual-clock.js';
import { createTestMq, type TestMq, type TestMqOptions } from '../mq-testing.js';
import { connectVirtualRedis } from './connect-virtual-redis.js';

const connection = process.env['REDIS_URL']!;
const TOPIC = 'orders';
const HOUR = 3_600_000;

describe('Redis in virtual time', () => {
  const opened: TestMq[] = [];
  const open = (options: TestMqOptions = {}): TestMq => {
    const test = createTestMq({ connection, ...options });
    opened.push(test);
    return test;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((test) => test.close()));
  });
  const keysOf = async (namespace: string): Promise<string[]> => {
    const redis = new Redis(connection);
    const keys = await redis.keys(`{${namespace}:*`);
    await redis.quit();
    return keys;
  };

  it('moves one namespace and no other', async () => {
    const [one, other] = [open(), open()];
    const handled: string[] = [];
    for (const [name, { mq }] of Object.entries({ one, other })) {
      mq.listen({ topic: TOPIC, group: 'g' }, async () => handled.push(name));
      await mq.start();
      await mq.producer.send(TOPIC, 1, { delay: '1h' });
    }
    await one.clock.advance(HOUR);
    await other.clock.advance(HOUR - 1);
    expect(handled).toEqual(['one']);
    await other.clock.advance(1);
    expect(handled).toEqual(['one', 'other']);
  });

  it('delivers what is sent while the clock stands still, also by somebody on another clock', async () => {
    const namespace = 'virtual-still';
    const [here, elsewhere] = [open({ namespace }), open({ namespace })];
    const seen = new Promise((resolve) => {
      here.mq.listen({ topic: TOPIC, group: 'g' }, async ({ message }) => resolve(message.body));
    });
    await here.mq.start();
    await elsewhere.mq.producer.send(TOPIC, 'now');
    expect(await seen).toBe('now');
    await here.drain();
    expect(here.clock.monotonic()).toBe(0);
    await Promise.all(opened.splice(0).map((test) => test.close()));
    await connectVirtualRedis({ connection, namespace }).removeAll();
  });

  it('leaves nothing on the server when its namespace was not given', async () => {
    const clock = new ManualClock();
    const redis = connectVirtualRedis({ connection, clock });
    const { namespace } = redis;
    const test = open({ namespace, clock });
    await test.mq.producer.send(TOPIC, 1, { idempotencyKey: 'k' });
    expect((await keysOf(namespace)).length).toBeGreaterThan(0);
    await test.close();
    await redis.broker.close();
    await redis.removeAll();
    expect(await keysOf(namespace)).toEqual([]);
  });

  it('gives entries and records the time of the clock, and no life by the clock of the server', async () => {
    const clock = new ManualClock(Date.UTC(2040, 0, 1));
    const namespace = 'virtual-2040';
    const { mq } = open({ namespace, clock });
    await mq.producer.send(TOPIC, 1, { idempotencyKey: 'k' });
    const redis = new Redis(connection);
    const streams = (await keysOf(namespace)).filter((key) => /:q:\d+$/.test(key));
    const ids = (await Promise.all(streams.map((key) => redis.xrange(key, '-', '+')))).flat().map(([id]) => id);
    expect(ids).toEqual([`${clock.now()}-0`]);
    const record = (await keysOf(namespace)).find((key) => key.includes(':id:'))!;
    expect(await redis.pttl(record)).toBe(-1);
    // What it lies in is kept for up to a minute longer than it holds.
    await clock.advance(24 * HOUR - 1);
    expect(await redis.exists(record)).toBe(1);
    await clock.advance(60_001);
    expect(await redis.exists(record)).toBe(0);
    await redis.quit();
    await Promise.all(opened.splice(0).map((test) => test.close()));
    await connectVirtualRedis({ connection, namespace }).removeAll();
  });

  it('goes on at the present instant after the data was flushed', async () => {
    const clock = new ManualClock();
    const namespace = 'virtual-flushed';
    const { mq, drain } = open({ namespace, clock });
    const handledAt: number[] = [];
    mq.listen({ topic: TOPIC, group: 'g' }, async () => handledAt.push(clock.monotonic()));
    await mq.start();
    await clock.advance(5 * HOUR);
    await connectVirtualRedis({ connection, namespace }).removeAll();
    await mq.producer.send(TOPIC, 1, { delay: '1h' });
    await clock.advance(2 * HOUR);
    await drain();
    expect(handledAt).toEqual([6 * HOUR]);
    await Promise.all(opened.splice(0).map((test) => test.close()));
    await connectVirtualRedis({ connection, namespace }).removeAll();
  });

  it('keeps the lease of a handler that runs for longer than it', async () => {
    const { mq, clock, drain } = open();
    let end!: () => void;
    const started: number[] = [];
    mq.listen({ topic: TOPIC, group: 'g', timeout: '1h', lease: '1m' }, async () => {
      started.push(clock.monotonic());
      await new Promise<void>((resolve) => (end = resolve));
    });
    const lost: unknown[] = [];
    mq.events.on('lease-lost', (event) => lost.push(event));
    await mq.start();
    await mq.producer.send(TOPIC, 1);
    await clock.advance(HOUR / 12);
    end();
    await drain();
    expect([started, lost]).toEqual([[0], []]);
    expect((await mq.admin.stats(TOPIC)).groups).toMatchObject([{ done: 1, leased: 0 }]);
  });

  it('refuses a Redis Cluster, and a store in memory beside a connection', () => {
    const nodes = { nodes: [{ host: '127.0.0.1', port: 1 }] };
    expect(() => createTestMq({ connection: nodes })).toThrow('virtual clock');
    expect(() => createTestMq({ connection, store: {} as never })).toThrow('in memory');
  });
});
