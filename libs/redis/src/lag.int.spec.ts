// A restarted or promoted Redis has lost count of what its groups have read. A server of its own: it is restarted.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { topicSpec, type BrokerPorts, type Subscription } from '@millrace/core';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { connectRedis } from './connect-redis.js';

const TOPIC = 'orders';
const QUEUE = '{lag:orders:0}:q:0';

describe('the backlog of a group', () => {
  let server: RedisServer;
  let ports: BrokerPorts;
  let subscription: Subscription;
  let sent = 0;

  beforeEach(async () => {
    server = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    ports = connectRedis({ connection: server.url, namespace: 'lag' });
    await ports.broker.declareTopic(topicSpec({ topic: TOPIC, queues: 1, retention: 0 }));
    const group = { topic: TOPIC, group: 'g', mode: 'concurrent', consumer: 'c', leaseMs: 30_000 } as const;
    subscription = await ports.broker.subscribe({ ...group, startFrom: 'first' });
  });

  afterEach(async () => {
    await ports.broker.close();
    await server.stop();
  });

  async function send(count: number): Promise<void> {
    const batch = Array.from({ length: count }, () => {
      const messageId = `m${sent++}`;
      const content = { messageId, tag: '', orderingKey: '', meta: '{"v":1,"at":1}', body: Buffer.from('1') };
      return { ...content, topic: TOPIC, routingKey: messageId };
    });
    await ports.broker.send(batch);
  }

  async function finish(count: number): Promise<void> {
    for (let done = 0; done < count;) {
      const deliveries = await ports.broker.receive(subscription, 0, { max: 50, waitMs: 1_000 });
      await ports.broker.settle(deliveries.map((delivery) => ({ delivery, settlement: { type: 'ack' } })));
      done += deliveries.length;
    }
  }

  const ready = async (): Promise<number> => (await ports.admin.stats(TOPIC)).groups[0]!.ready;

  it('is right again after a restart, once the topic was tended', async () => {
    await send(200);
    await finish(200);
    await server.kill();
    await server.restart();
    await send(5);
    await ports.broker.trim(TOPIC);
    expect(await ready()).toBe(5);
    await finish(5);
    await ports.broker.trim(TOPIC);
    expect(await ready()).toBe(0);
  });

  it('stays what it is while the count is right, however long it is', async () => {
    await send(200);
    await finish(150);
    const redis = new Redis(server.url);
    const before = JSON.stringify(await redis.xinfo('GROUPS', QUEUE));
    await ports.broker.trim(TOPIC);
    expect(JSON.stringify(await redis.xinfo('GROUPS', QUEUE))).toBe(before);
    await redis.quit();
  });
});
