// The contract suite on a Redis Cluster of three masters: the topics of the cases lie on all of them.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeBrokerContract, realTime } from '@millrace/testing/contract';
import { startRedisCluster, type RedisCluster } from '@millrace/testing/servers';
import { connectRedis } from './connect-redis.js';

let cluster: RedisCluster;

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
    {
      orderedMode: true,
      memberSilence: true,
      startFromInstant: true,
      storedGroupMode: true,
      retentionCount: true,
      deadLetterRetention: true,
    },
  );
});
