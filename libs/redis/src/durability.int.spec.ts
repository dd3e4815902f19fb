// What each durability level promises, on real servers: with a replica that lags behind, a server that is killed, and
// servers that can prove nothing. Servers of their own: they are killed, promoted and set otherwise.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Mq, SendUnknownError, type Durability, type MqError } from '@millrace/core';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { startRedis, startValkey, type RedisServer } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { connectRedis } from './connect-redis.js';

const TOPIC = 'orders';
const AOF = ['--appendonly', 'yes', '--appendfsync'];
const opened: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function started(server: Promise<RedisServer>): Promise<RedisServer> {
  const { stop } = await server;
  opened.push(stop);
  return server;
}

function connected(url: string, sendTimeout = '20s'): Mq {
  const mq = new Mq(connectRedis({ connection: url, namespace: 'durable', sendTimeout, silenceTimeout: '3s' }));
  opened.push(() => mq.close());
  return mq;
}

function client(url: string): Redis {
  const redis = new Redis(url);
  opened.push(async () => redis.disconnect());
  return redis;
}

const send = (mq: Mq, body: number, durability?: Durability) => mq.producer.send(TOPIC, body, { durability });
const failure = (sending: Promise<unknown>): Promise<MqError> =>
  sending.then(
    () => Promise.reject(new Error('it was acknowledged')),
    (error: MqError) => error,
  );
const stored = async (redis: Redis): Promise<number> => {
  const lengths = await Promise.all([0, 1, 2, 3].map((queue) => redis.xlen(`{durable:${TOPIC}:0}:q:${queue}`)));
  return lengths.reduce((sum, length) => sum + length, 0);
};

/** What a group that starts at the first message is given by this server: all it holds, sends of unknown fate too. */
async function bodies(url: string): Promise<Set<number>> {
  const count = await stored(client(url));
  const found = new Set<number>();
  const mq = connected(url);
  await new Promise<void>((resolve) => {
    mq.listen<number>({ topic: TOPIC, group: 'audit' }, async ({ message }) => {
      found.add(message.body);
      if (found.size === count) resolve();
    });
    void mq.start();
  });
  return found;
}

describe('durability fsync', () => {
  it.each([
    ['without an append-only file', startRedis, ['--appendonly', 'no'], 'appendonly is off'],
    ['with everysec and without WAITAOF', startRedis, [...AOF, 'everysec'], 'appendfsync is everysec'],
  ] as const)('on a server %s is refused by name, and nothing is stored', async (_, start, args, why) => {
    const server = await started(start({ args: [...args] }));
    const mq = connected(server.url);
    const error = await failure(send(mq, 1, 'fsync'));
    expect(error).toMatchObject({ code: 'MQ_DURABILITY', retriable: false });
    expect(error.message).toContain(why);
    expect(await stored(client(server.url))).toBe(0);
    await expect(send(mq, 2)).resolves.toMatchObject({ duplicate: false });
  });

  it('on replicas too is refused by a server that does not tell what its replicas have on disk', async () => {
    const server = await started(startRedis({ args: [...AOF, 'always'] }));
    const error = await failure(send(connected(server.url), 1, { replicas: 1, fsync: true }));
    expect(error).toMatchObject({ code: 'MQ_DURABILITY' });
  });

  it('with appendfsync always loses no acknowledged message when the server is killed (kill -9)', async () => {
    const server = await started(startRedis({ args: [...AOF, 'always'] }));
    const mq = connected(server.url, '2s');
    const acknowledged: number[] = [];
    const sending = (async () => {
      for (let body = 0; ; body++) {
        await send(mq, body, 'fsync');
        acknowledged.push(body);
      }
    })().catch((error: unknown) => error);
    while (acknowledged.length < 30) await new Promise(setImmediate);
    await server.kill();
    expect(await sending).toBeInstanceOf(SendUnknownError);
    await server.restart();
    const found = await bodies(server.url);
    expect(acknowledged.filter((body) => !found.has(body))).toEqual([]);
  });

  it('is not claimed any more when the server stops syncing with every write', async () => {
    const server = await started(startRedis({ args: [...AOF, 'always'] }));
    const mq = connected(server.url, '500ms');
    await send(mq, 1, 'fsync');
    const redis = client(server.url);
    await redis.config('SET', 'appendfsync', 'everysec');
    const error = await failure(send(mq, 2, 'fsync'));
    expect(error).toBeInstanceOf(SendUnknownError);
    await redis.config('SET', 'appendfsync', 'always');
    await expect((error as SendUnknownError).retry()).resolves.toMatchObject({ duplicate: false });
    expect(await stored(redis)).toBe(2);
  });

  it('with everysec is proven by WAITAOF, and sends that wait share one proof', async () => {
    const server = await started(startValkey({ args: [...AOF, 'everysec'] }));
    const mq = connected(server.url);
    await send(mq, 0, 'fsync');
    const requests = Array.from({ length: 300 }, (_element, body) => ({
      destination: TOPIC,
      body,
      options: { durability: 'fsync' as const },
    }));
    const results = await mq.producer.sendAll(requests);
    expect(results.every(({ ok }) => ok)).toBe(true);
    const [, calls] = /cmdstat_waitaof:calls=(\d+)/.exec(await client(server.url).info('commandstats'))!;
    expect(Number(calls)).toBeLessThanOrEqual(6);
  });
});

describe('durability on replicas', () => {
  async function replicated(): Promise<{ primary: RedisServer; replica: RedisServer; link: TcpProxy }> {
    const primary = await started(startRedis({ args: ['--repl-diskless-sync-delay', '0'] }));
    const link = await startTcpProxy({ port: primary.port });
    opened.push(() => link.close());
    const replica = await started(startRedis({ args: ['--replicaof', `127.0.0.1 ${link.port}`] }));
    const redis = client(primary.url);
    while ((await redis.wait(1, 100)) < 1);
    return { primary, replica, link };
  }

  it('is acknowledged when the replicas have it', async () => {
    const { primary } = await replicated();
    await expect(send(connected(primary.url), 1, { replicas: 1 })).resolves.toMatchObject({ duplicate: false });
  });

  it('that are not there is reported as unknown, never claimed', async () => {
    const { primary } = await replicated();
    // Long enough for one answer on a busy machine: a deadline that passes before any says nothing of replicas.
    const error = await failure(send(connected(primary.url, '3s'), 1, { replicas: 2 }));
    expect(error).toMatchObject({ code: 'MQ_SEND_UNKNOWN', cause: { message: '1 of 2 replicas have it' } });
  });

  it('of an unknown send is proven anew by its retry: as long as the replica lags it stays unknown', async () => {
    const { primary, link } = await replicated();
    const mq = connected(primary.url, '1s');
    await send(mq, 0, { replicas: 1 });
    link.blackhole();
    const first = await failure(send(mq, 1, { replicas: 1 }));
    expect(first).toBeInstanceOf(SendUnknownError);
    const second = await failure((first as SendUnknownError).retry());
    expect(second).toBeInstanceOf(SendUnknownError);
    link.pass();
    await expect((second as SendUnknownError).retry()).resolves.toMatchObject({ duplicate: false });
    expect(await stored(client(primary.url))).toBe(2);
  });

  it('of a message that was stored before with less is proven too: a business key that is known is written anew', async () => {
    const { primary, link } = await replicated();
    const mq = connected(primary.url, '1s');
    await send(mq, 0, { replicas: 1 });
    link.blackhole();
    const again = (durability?: Durability) => mq.producer.send(TOPIC, 1, { idempotencyKey: 'k', durability });
    await again();
    expect(await failure(again({ replicas: 1 }))).toBeInstanceOf(SendUnknownError);
  });

  it('survives the loss of a primary whose replica lags (DoD 3): with it no acknowledged message is lost, without it some are', async () => {
    const { primary, replica, link } = await replicated();
    const mq = connected(primary.url, '1s');
    const acknowledged: Record<'memory' | 'replicated', number[]> = { memory: [], replicated: [] };
    const sendBoth = async (body: number): Promise<void> => {
      await Promise.all([
        send(mq, body).then(() => acknowledged.memory.push(body)),
        send(mq, 1_000 + body, { replicas: 1 }).then(
          () => acknowledged.replicated.push(1_000 + body),
          () => undefined,
        ),
      ]);
    };
    for (let body = 0; body < 20; body++) await sendBoth(body);
    link.blackhole();
    await Promise.all(Array.from({ length: 50 }, (_, body) => sendBoth(20 + body)));
    await primary.kill();
    await client(replica.url).replicaof('NO', 'ONE');
    link.reset();
    const found = await bodies(replica.url);
    const lost = (level: keyof typeof acknowledged): number =>
      acknowledged[level].filter((body) => !found.has(body)).length;
    expect(acknowledged.memory).toHaveLength(70);
    expect(acknowledged.replicated.length).toBeGreaterThanOrEqual(20);
    expect(lost('memory')).toBeGreaterThan(0);
    expect(lost('replicated')).toBe(0);
  });
});
