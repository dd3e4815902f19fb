// The contract suite on a Redis Cluster of three masters (the topics of the cases lie on all of them), and what only a
// Cluster can do to us.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Mq, topicSpec, type BrokerPorts } from '@millrace/core';
import { ALL_CONTRACT_FEATURES, describeBrokerContract, realTime } from '@millrace/testing/contract';
import { startRedisCluster, type RedisCluster } from '@millrace/testing/servers';
import { Cluster, Redis } from 'ioredis';
import { connectRedis } from './connect-redis.js';
import { ShardKeys } from './keys.js';

let cluster: RedisCluster;

async function ask<T>(port: number, question: (node: Redis) => Promise<T>): Promise<T> {
  const node = new Redis(port, '127.0.0.1');
  try {
    return await question(node);
  } finally {
    await node.quit();
  }
}

const message = (topic: string, messageId: string, due?: { delayMs: number }) => ({
  topic,
  messageId,
  routingKey: messageId,
  tag: '',
  orderingKey: '',
  meta: '{"v":1,"at":1}',
  body: Buffer.from('1'),
  due,
});

async function contents(ports: BrokerPorts, topic: string): Promise<string[]> {
  const group = { topic, group: 'g', mode: 'concurrent', consumer: 'c', leaseMs: 30_000, startFrom: 'first' } as const;
  const deliveries = await ports.broker.receive(await ports.broker.subscribe(group), 0, { max: 10, waitMs: 0 });
  return deliveries.map((delivery) => delivery.message.messageId).toSorted();
}

describe('on a Redis Cluster', () => {
  beforeAll(async () => void (cluster = await startRedisCluster()));
  afterAll(() => cluster.stop());

  describeBrokerContract(
    'Redis Cluster',
    async () => {
      const namespace = `contract-${randomBytes(6).toString('hex')}`;
      return {
        ports: () => connectRedis({ connection: { nodes: [...cluster.addresses] }, namespace }),
        ...realTime,
        // The cluster goes with all its data.
        close: () => Promise.resolve(),
      };
    },
    ALL_CONTRACT_FEATURES,
  );

  it('a factory may give a Cluster, which is only a pattern for ours', async () => {
    let made: Cluster | undefined;
    const ports = connectRedis({
      connection: () => (made = new Cluster([...cluster.addresses])),
      namespace: 'factory',
    });
    await ports.broker.declareTopic(topicSpec({ topic: 't' }));
    await ports.broker.send([message('t', 'a')]);
    expect(await contents(ports, 't')).toEqual(['a']);
    await ports.broker.close();
    // One that was still connecting stays in this state for good, without sockets.
    expect(['disconnecting', 'end']).toContain(made!.status);
  });

  it('a script on a slot that is on its way is done whole, after it has arrived', async () => {
    const ports = connectRedis({ connection: { nodes: [...cluster.addresses] }, namespace: 'moving' });
    await ports.broker.declareTopic(topicSpec({ topic: 't', queues: 1, delayBuckets: 1 }));
    await ports.broker.send([message('t', 'a'), message('t', 'b', { delayMs: 1 })]);
    const { meta } = new ShardKeys('moving', 't', 0);
    const from = await cluster.ownerOf(meta);
    const to = cluster.nodes.find((node) => node !== from)!;
    const slot = await cluster.slotOf(meta);
    await ask(to.port, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id));
    await ask(from.port, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id));
    // All keys of this script are still there, and it empties two of them: done now, it would fail in the middle.
    const promoted = ports.broker.promote('t', 0, { max: 10 });
    const refused = async (): Promise<boolean> =>
      (await ask(from.port, (node) => node.info('errorstats'))).includes('errorstat_TRYAGAIN');
    let over = false;
    void promoted.catch(() => undefined).finally(() => (over = true));
    while (!over && !(await refused()));
    await cluster.migrateSlot(slot, to);
    expect(await promoted).toEqual({ promoted: 1, nextDueInMs: undefined });
    expect(await contents(ports, 't')).toEqual(['a', 'b']);
    await ports.broker.close();
  });

  it('a process has a connection to each master, and one for each shard that a group reads', async () => {
    const mq = new Mq(connectRedis({ connection: { nodes: [...cluster.addresses] }, namespace: 'count' }), {
      topics: [{ topic: 't', shards: 4, queues: 4 }],
    });
    const names = async (role: string): Promise<number> => {
      const lists = await Promise.all(
        cluster.nodes.map(({ port }) => ask(port, (node) => node.client('LIST') as Promise<string>)),
      );
      return lists.join('').split(` name=millrace:${role}:`).length - 1;
    };
    mq.listen({ topic: 't', group: 'billing' }, async () => undefined);
    mq.listen({ topic: 't', group: 'stock' }, async () => undefined);
    await mq.start();
    // Readers open with their first read.
    while ((await names('reader')) < 2 * 4) expect(await names('reader')).toBeLessThanOrEqual(2 * 4);
    const masters = new Set<unknown>();
    for (let shard = 0; shard < 4; shard++) masters.add(await cluster.ownerOf(new ShardKeys('count', 't', shard).meta));
    expect(await names('reader')).toBe(2 * 4);
    expect(await names('commands')).toBeGreaterThanOrEqual(masters.size);
    expect(await names('commands')).toBeLessThanOrEqual(cluster.nodes.length);
    await mq.close();
    while ((await names('')) > 0);
  });
});
