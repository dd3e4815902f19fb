import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

// Why the proxy exists: a real client hides lost replies by asking again, and the server does it twice.
describe('TcpProxy in front of Redis', () => {
  let proxy: TcpProxy;
  let redis: Redis;
  let key: string;

  beforeEach(async () => {
    const { hostname, port } = new URL(process.env['REDIS_URL']!);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    redis = new Redis({ host: proxy.host, port: proxy.port, protocol: 2, retryStrategy: () => 5 });
    // A connection that is cut is what these cases are about; without a listener ioredis prints it.
    redis.on('error', () => {});
    key = `tcp-proxy:${randomUUID()}`;
  });
  afterEach(async () => {
    await redis.del(key);
    redis.disconnect();
    await proxy.close();
  });

  it('a lost reply to a command makes the client resend it: it is executed twice', async () => {
    const loss = proxy.dropNextReplyTo('incr');
    expect(await redis.incr(key)).toBe(2);
    await loss.done;
    expect([loss.dropped, proxy.accepted]).toEqual([1, 2]);
  });

  it('finds the call of one script by its SHA-1 among pipelined commands', async () => {
    const script = "return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)";
    const sha = createHash('sha1').update(script).digest('hex');
    await redis.script('LOAD', script);
    const loss = proxy.dropNextReplyTo(sha);
    const [before, scripted] = await Promise.all([
      redis.hincrby(key, 'before', 1),
      redis.evalsha(sha, 1, key, 'scripted'),
      redis.hincrby(key, 'after', 1),
    ]);
    await loss.done;
    expect([before, scripted]).toEqual([1, 2]);
    expect(await redis.hget(key, 'before')).toBe('1');
  });

  it('has the server refuse what it is told to, and nothing else; it goes on when that ends', async () => {
    const refusal = proxy.refuseRequests('incr', 'TRYAGAIN Multiple keys request during rehashing of slot');
    const answers = await Promise.allSettled([
      redis.set(key, '5'),
      redis.incr(key),
      redis.get(key),
      redis.call('INCRBY', key, 'x'.repeat(200_000)),
    ]);
    expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason.message))).toEqual([
      'OK',
      'TRYAGAIN Multiple keys request during rehashing of slot',
      '5',
      'TRYAGAIN Multiple keys request during rehashing of slot',
    ]);
    expect(refusal.refused).toBe(2);
    refusal.stop();
    expect(await redis.incr(key)).toBe(6);
  });

  it('a connection in a black hole looks alive: the command ends when the network is back', async () => {
    await redis.set(key, '1');
    proxy.blackhole();
    let ended = false;
    const reading = redis.get(key).finally(() => (ended = true));
    const direct = new Redis(process.env['REDIS_URL']!, { protocol: 2 });
    for (let round = 0; round < 20; round++) await direct.ping();
    direct.disconnect();
    expect([ended, redis.status]).toEqual([false, 'ready']);
    proxy.pass();
    expect(await reading).toBe('1');
  });

  it('after a reset the client comes back by itself', async () => {
    await redis.set(key, '1');
    proxy.reset();
    expect(await redis.get(key)).toBe('1');
    expect(proxy.accepted).toBe(2);
  });
});
