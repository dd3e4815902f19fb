// The look at a server beside the first calls: what endangers messages is told, once, by a stable code.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Mq, type BrokerWarning } from '@millrace/core';
import { startRedis, type RedisServer, type RedisServerOptions } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { connectRedis } from './connect-redis.js';
import { serverWarnings } from './server-warnings.js';

const SAFE = ['--appendonly', 'yes'];
let server: RedisServer;
let mq: Mq;

afterEach(async () => {
  await mq.close();
  await server.stop();
});

/** Warnings that were told by the time the server has been looked at. */
async function warnings(
  options: RedisServerOptions,
  prepare?: (redis: Redis) => Promise<unknown>,
): Promise<BrokerWarning[]> {
  server = await startRedis(options);
  const redis = new Redis(server.url);
  await prepare?.(redis);
  mq = new Mq(connectRedis({ connection: server.url, sendTimeout: '500ms' }));
  const told: BrokerWarning[] = [];
  mq.events.on('warning', (warning) => told.push(warning));
  await mq.producer.send('t', 1).catch(() => undefined);
  // The last question of the look.
  const asked = async (): Promise<boolean> =>
    /cmdstat_command\|info:calls=[1-9]/.test(await redis.info('commandstats'));
  while (!(await asked()));
  await mq.producer.send('t', 2).catch(() => undefined);
  redis.disconnect();
  return told;
}

const codes = (told: BrokerWarning[]): string[] => told.map(({ code }) => code);

describe('the look at a server', () => {
  it('says nothing of one that is well set', async () => {
    expect(await warnings({ args: SAFE })).toEqual([]);
  });

  it('warns of an eviction policy that may delete messages', async () => {
    const [warning] = await warnings({ args: [...SAFE, '--maxmemory-policy', 'allkeys-lru'] });
    expect(warning).toMatchObject({ code: 'eviction', text: expect.stringContaining('allkeys-lru') });
  });

  it('warns of a server without persistence', async () => {
    expect(codes(await warnings({}))).toEqual(['no-persistence']);
  });

  it('takes snapshots for persistence', async () => {
    expect(await warnings({ args: ['--save', '3600 1'] })).toEqual([]);
  });

  it('warns of a replica', async () => {
    expect(codes(await warnings({ args: SAFE }, (redis) => redis.replicaof('127.0.0.1', 1)))).toEqual(['replica']);
  });

  it('warns of a node of a Cluster that is used as a single server', async () => {
    expect(codes(await warnings({ args: [...SAFE, '--cluster-enabled', 'yes'] }))).toEqual(['cluster-mode']);
  });

  it('says that it could not look where CONFIG is forbidden, and asks INFO only', async () => {
    const told = await warnings({}, (redis) => redis.acl('SETUSER', 'default', '-config'));
    expect(codes(told)).toEqual(['not-checked']);
  });
});

describe('what is warned of', () => {
  const well = {
    flavour: 'Redis',
    version: [7, 0, 5],
    isReplica: false,
    isCluster: false,
    maxmemoryPolicy: 'noeviction',
    aof: true,
    appendfsync: 'everysec',
    rdb: true,
    hasWaitAof: false,
    clockDifferenceMs: 999,
  } as const;

  it.each([
    ['a Redis older than 7.0.5', { version: [7, 0, 4] }, 'server-version'],
    ['a Valkey older than 8', { flavour: 'Valkey', version: [7, 2, 9] }, 'server-version'],
    ['a clock that is more than a second ahead', { clockDifferenceMs: 1_001 }, 'clock-difference'],
    ['a clock that is more than a second behind', { clockDifferenceMs: -1_001 }, 'clock-difference'],
    ['a policy that the server does not tell', { maxmemoryPolicy: undefined }, 'not-checked'],
  ] as const)('%s', (_, facts, code) => {
    expect(codes(serverWarnings({ ...well, ...facts }, 'single'))).toEqual([code]);
  });

  it.each([{}, { version: [8, 6, 3] }, { flavour: 'Valkey', version: [8, 0, 0] }, { aof: false }] as const)(
    'is nothing when all is well: %j',
    (facts) => expect(serverWarnings({ ...well, ...facts }, 'single')).toEqual([]),
  );
});
