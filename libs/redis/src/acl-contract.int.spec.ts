// The contract suite as a user with the least privileges: a command that is missing from the list turns it red.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Mq } from '@millrace/core';
import { ALL_CONTRACT_FEATURES, describeBrokerContract, realTime } from '@millrace/testing/contract';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { aclRules } from './acl-rules.js';
import { connectRedis } from './connect-redis.js';

const PASSWORD = 'not-to-be-shown';
let server: RedisServer;

async function user(namespace: string): Promise<string> {
  const redis = new Redis(server.url);
  await redis.acl('SETUSER', namespace, 'on', `>${PASSWORD}`, ...aclRules(namespace));
  redis.disconnect();
  return `redis://${namespace}:${PASSWORD}@127.0.0.1:${server.port}`;
}

describe('as a user with the least privileges', () => {
  beforeAll(async () => void (server = await startRedis()));
  afterAll(() => server.stop());

  describeBrokerContract(
    'Redis',
    async () => {
      const namespace = `acl-${randomBytes(6).toString('hex')}`;
      const connection = await user(namespace);
      return {
        ports: () => connectRedis({ connection, namespace }),
        ...realTime,
        // The server goes with all its data.
        close: () => Promise.resolve(),
      };
    },
    ALL_CONTRACT_FEATURES,
  );

  it('keys of another namespace are out of reach: the send is refused, and no error shows the password', async () => {
    const mq = new Mq(connectRedis({ connection: await user('mine'), namespace: 'theirs', sendTimeout: '1s' }));
    const error = await mq.producer.send('t', 1).catch((refused: unknown) => refused as Error & { code: string });
    await mq.close();
    expect(error).toMatchObject({ code: 'MQ_REFUSED' });
    expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain(PASSWORD);
  });
});
