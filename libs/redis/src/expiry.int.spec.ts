// Time to live on a real server: by its clock, not by ours.
import { randomBytes } from 'node:crypto';
import { Mq, newMessageId } from '@millrace/core';
import { Redis } from 'ioredis';
import { connectRedis } from './connect-redis.js';

const connection = process.env['REDIS_URL']!;

describe('time to live on a server', () => {
  const namespace = `expiry-${randomBytes(6).toString('hex')}`;
  let mq: Mq;

  beforeEach(() => {
    mq = new Mq(connectRedis({ connection, namespace }));
  });
  afterEach(() => mq.close());

  it('ends a message that waited too long, and lets the others through', async () => {
    const topic = `t-${newMessageId()}`;
    await mq.producer.send(topic, 'late', { ttl: 1 });
    await mq.producer.send(topic, 'patient', { ttl: '1h' });
    const { ports } = mq;
    const subscription = await ports.broker.subscribe({
      topic,
      group: 'probe',
      mode: 'concurrent',
      consumer: 'c',
      leaseMs: 30_000,
      startFrom: 'first',
    });
    const deliveries = await ports.broker.receive(subscription, 0, { max: 10, waitMs: 1000 });
    const [{ readyAt }] = deliveries as [(typeof deliveries)[number]];
    // The clock of the server is read once more only when it is asked: wait for it, not for a time.
    while (ports.broker.now() - readyAt <= 5) await ports.broker.renew(deliveries);
    const bodies: unknown[] = [];
    const [letter, done] = [mq.events.next('dead-letter'), mq.events.next('done')];
    mq.listen({ topic, group: 'billing' }, async ({ message }) => void bodies.push(message.body));
    await mq.start();
    expect([(await letter).reason, (await done).attempt, bodies]).toEqual(['expired', 1, ['patient']]);
  });

  it('goes by a clock that agrees with the server within some ms', async () => {
    const topic = `t-${newMessageId()}`;
    mq.listen({ topic, group: 'billing' }, async () => undefined);
    await mq.start();
    const redis = new Redis(connection);
    const [seconds, micros] = await redis.time();
    const now = mq.ports.broker.now();
    await redis.quit();
    expect(Math.abs(now - (Number(seconds) * 1000 + Number(micros) / 1000))).toBeLessThan(500);
  });
});
