// The contract suite on a real server, with real time.
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import {
  ALL_CONTRACT_FEATURES,
  describeBrokerContract,
  realTime,
  type ContractSubject,
} from '@millrace/testing/contract';
import { connectRedis } from './connect-redis.js';

const connection = process.env['REDIS_URL']!;

async function open(): Promise<ContractSubject> {
  const namespace = `contract-${randomBytes(6).toString('hex')}`;
  return {
    ports: () => connectRedis({ connection, namespace }),
    ...realTime,
    async close() {
      const redis = new Redis(connection);
      const keys = await redis.keys(`{${namespace}:*`);
      if (keys.length > 0) await redis.unlink(...keys);
      await redis.quit();
    },
  };
}

describeBrokerContract('Redis', open, ALL_CONTRACT_FEATURES);
