// What is noted of starts in ordered mode, and that nothing of it stays behind.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newMessageId, topicSpec, type Delivery, type QueueLease, type Subscription } from '@millrace/core';
import { Redis } from 'ioredis';
import { connectRedis, type RedisPorts } from './connect-redis.js';
import { ShardKeys } from './keys.js';

const url = process.env['REDIS_URL']!;
const TOPIC = 'orders';

describe('in ordered mode', () => {
  let redis: Redis;
  let ports: RedisPorts;
  let subscription: Subscription;
  let leases: QueueLease[];
  let notes: string;

  beforeEach(async () => {
    const namespace = `notes-${randomBytes(6).toString('hex')}`;
    redis = new Redis(url);
    ports = connectRedis({ connection: url, namespace });
    notes = new ShardKeys(namespace, TOPIC, 0).group('g').started;
    await ports.broker.declareTopic(topicSpec({ topic: TOPIC, queues: 2 }));
    const group = { topic: TOPIC, group: 'g', mode: 'ordered', leaseMs: 30_000, startFrom: 'first' } as const;
    subscription = await ports.broker.subscribe({ ...group, consumer: 'one' });
    leases = [];
    for (const queue of [0, 1]) leases.push((await ports.leases.acquire(subscription, 0, queue, 'one'))!);
  });
  afterEach(async () => {
    await ports.broker.close();
    await redis.quit();
  });

  /** Over both queues, out of order in part: what ends first is not what came first. */
  async function received(count: number): Promise<Delivery[]> {
    const message = (number: number) => {
      const orderingKey = `key-${number % 7}`;
      const stored = {
        messageId: newMessageId(),
        tag: '',
        orderingKey,
        meta: '{"v":1,"at":1}',
        body: Buffer.from('1'),
      };
      return { ...stored, topic: TOPIC, routingKey: orderingKey };
    };
    await ports.broker.send(Array.from({ length: count }, (_, number) => message(number)));
    const found: Delivery[] = [];
    while (found.length < count)
      found.push(...(await ports.broker.receive(subscription, 0, { max: count, waitMs: 200, leases })));
    return found.toReversed();
  }
  const ack = (deliveries: readonly Delivery[]): Promise<string[]> =>
    ports.broker.settle(deliveries.map((delivery) => ({ delivery, settlement: { type: 'ack' } as const })));

  it('each start is noted, and its note goes with the acknowledgement', async () => {
    const deliveries = await received(50);
    expect(new Set(deliveries.map(({ queue }) => queue)).size).toBe(2);
    await ports.broker.markStarted(deliveries);
    expect(await redis.hlen(notes)).toBe(50);
    expect(await ack(deliveries.slice(0, 20))).toEqual(deliveries.slice(0, 20).map(() => 'settled'));
    expect(await redis.hlen(notes)).toBe(30);
    expect(new Set(await ack(deliveries))).toEqual(new Set(['lease-lost', 'settled']));
    expect(await redis.exists(notes)).toBe(0);
  });

  it('the first and the last of many are noted and acknowledged, though the others lie between them', async () => {
    const ofOne = (await received(60)).filter(({ queue }) => queue === 0);
    const ends = [ofOne[0]!, ofOne.at(-1)!];
    expect(ofOne.length).toBeGreaterThan(8);
    await ports.broker.markStarted(ends);
    expect(await redis.hlen(notes)).toBe(2);
    expect(await ack(ends)).toEqual(['settled', 'settled']);
  });

  it('a start that is told after its acknowledgement leaves no note behind', async () => {
    const deliveries = await received(10);
    await ack(deliveries.slice(0, 5));
    await ports.broker.markStarted(deliveries);
    expect(await redis.hlen(notes)).toBe(5);
  });
});
