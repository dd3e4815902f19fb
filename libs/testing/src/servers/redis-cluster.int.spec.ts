import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { talkTo } from './node-client.js';
import { startRedisCluster, type RedisCluster } from './redis-cluster.js';

describe('a throw-away Redis Cluster', () => {
  let cluster: RedisCluster;

  beforeAll(async () => void (cluster = await startRedisCluster()));
  afterAll(() => cluster.stop());

  it('serves every slot on some master as soon as start resolves', async () => {
    for (const { port } of cluster.nodes) {
      const info = await talkTo(port, (client) => client.cluster('INFO'));
      expect(info).toContain('cluster_slots_ok:16384');
      expect(info).toContain('cluster_state:ok');
    }
  });

  it('moves a slot with its keys to another node, one step after the other', async () => {
    const from = await cluster.ownerOf('{a}1');
    const to = cluster.nodes.find((node) => node !== from)!;
    await talkTo(from.port, (client) => client.mset('{a}1', '1', '{a}2', '2', '{a}3', '3'));
    const steps: number[] = [];
    const between = (moved: number): Promise<void> => Promise.resolve(void steps.push(moved));
    expect(await cluster.migrateSlot(await cluster.slotOf('{a}'), to, { keysPerStep: 1, between })).toBe(3);
    expect(steps).toEqual([1, 2, 3]);
    expect(await cluster.ownerOf('{a}1')).toBe(to);
    expect(await talkTo(to.port, (client) => client.get('{a}3'))).toBe('3');
  });
});
