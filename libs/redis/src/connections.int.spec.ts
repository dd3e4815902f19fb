import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { InvalidOptionError, topicSpec } from '@millrace/core';
import { connectRedis, type RedisOptions } from './connect-redis.js';

const url = process.env['REDIS_URL']!;

async function sendsAndReceives(connection: RedisOptions['connection']): Promise<boolean> {
  const { broker } = connectRedis({ connection, namespace: `connection-${randomBytes(4).toString('hex')}` });
  try {
    await broker.declareTopic(topicSpec({ topic: 't' }));
    const group = {
      topic: 't',
      group: 'g',
      mode: 'concurrent',
      consumer: 'c',
      leaseMs: 30_000,
      startFrom: 'first',
    } as const;
    const subscription = await broker.subscribe(group);
    const stored = { messageId: 'm', tag: '', orderingKey: '', meta: '{"v":1,"at":1}', body: Buffer.from('1') };
    await broker.send([{ ...stored, topic: 't', routingKey: 'm' }]);
    return (await broker.receive(subscription, 0, { max: 1, waitMs: 1_000 })).length === 1;
  } finally {
    await broker.close();
  }
}

describe('a Redis connection', () => {
  it('may be a URL', async () => expect(await sendsAndReceives(url)).toBe(true));

  it('may be ioredis options', async () => {
    const { hostname, port } = new URL(url);
    expect(await sendsAndReceives({ host: hostname, port: Number(port) })).toBe(true);
  });

  it('may be a factory whose clients speak another protocol by default', async () => {
    expect(await sendsAndReceives(() => new Redis(url))).toBe(true);
  });

  it('opens nothing before its first use', () => {
    let made = 0;
    connectRedis({ connection: () => (made++, new Redis(url)) });
    expect(made).toBe(0);
  });

  it.each([
    ['no URL', { connection: '127.0.0.1:6379' }, 'connection'],
    ['a number', { connection: 6379 }, 'connection'],
    ['nothing', {}, 'connection'],
    ['a key prefix', { connection: { keyPrefix: 'x:' } }, 'connection.keyPrefix'],
    [
      'a key prefix of a Cluster',
      { connection: { nodes: [1], redisOptions: { keyPrefix: 'x' } } },
      'connection.keyPrefix',
    ],
    ['a Cluster without nodes', { connection: { nodes: [] } }, 'connection.nodes'],
    ['a bad namespace', { connection: url, namespace: 'a b' }, 'redis.namespace'],
    ['a deadline that is none', { connection: url, sendTimeout: 5 }, 'redis.sendTimeout'],
    ['a silence that ends too soon', { connection: url, silenceTimeout: 500 }, 'redis.silenceTimeout'],
    ['an unknown option', { connection: url, namespce: 'a' }, 'redis.namespce'],
  ])('with %s is refused, naming the option', (_, options, option) => {
    expect(() => connectRedis(options as RedisOptions)).toThrow(InvalidOptionError);
    expect(() => connectRedis(options as RedisOptions)).toThrow(option);
  });

  it('does not show a password that stands in a mistyped URL', () => {
    expect(() => connectRedis({ connection: 'http://user:secret@host' })).toThrow(/^(?!.*secret)/);
  });
});
