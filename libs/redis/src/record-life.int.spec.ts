// How long the records of business keys are kept on a server. That they hold for exactly their window is in the contract suite.
import { randomBytes } from 'node:crypto';
import { Mq, newMessageId } from '@millrace/core';
import { Redis } from 'ioredis';
import { connectRedis } from './connect-redis.js';

const connection = process.env['REDIS_URL']!;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('records of business keys', () => {
  const namespace = `record-life-${randomBytes(6).toString('hex')}`;
  const redis = new Redis(connection);
  let mq: Mq;
  let topic: string;

  beforeEach(() => {
    mq = new Mq(connectRedis({ connection, namespace }));
    topic = `t-${newMessageId()}`;
  });
  afterEach(() => mq.close());
  afterAll(() => redis.quit());

  /** How much longer than until `holds` each record of the topic is kept, ms. */
  const keptLonger = async (holds: number): Promise<number[]> => {
    const keys = await redis.keys(`{${namespace}:${topic}:0}:id:*`);
    const ends = await Promise.all(keys.map((key) => redis.pexpiretime(key)));
    return ends.map((end) => end - holds);
  };
  const send = (count: number, due: Date) =>
    Promise.all(
      Array.from({ length: count }, (_, n) =>
        mq.producer.send(topic, n, { idempotencyKey: `order-${n}`, deliverAt: due }),
      ),
    );

  it('whose messages are due at one instant do not end in one, nor earlier than they hold', async () => {
    mq.declareTopic({ topic, idempotencyWindow: '1m' });
    const due = new Date(Date.now() + HOUR);
    await send(500, due);
    const longer = await keptLonger(due.getTime() + MINUTE);
    expect(longer).toHaveLength(500);
    expect(Math.min(...longer)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...longer)).toBeLessThanOrEqual(MINUTE);
    // No second of the minute has a tenth of them.
    const perSecond = new Map<number, number>();
    for (const ms of longer) perSecond.set(Math.floor(ms / 1000), (perSecond.get(Math.floor(ms / 1000)) ?? 0) + 1);
    expect(Math.max(...perSecond.values())).toBeLessThan(50);
  });

  it('with a long window are spread over a twentieth of it', async () => {
    mq.declareTopic({ topic, idempotencyWindow: '24h' });
    const due = new Date(Date.now() + HOUR);
    await send(200, due);
    const longer = await keptLonger(due.getTime() + 24 * HOUR);
    expect(Math.max(...longer)).toBeGreaterThan(HOUR);
    expect(Math.max(...longer)).toBeLessThanOrEqual(1.2 * HOUR);
  });

  it('are spread anew when their messages are moved to one instant', async () => {
    mq.declareTopic({ topic, idempotencyWindow: '1m' });
    await send(100, new Date(Date.now() + HOUR));
    const moved = new Date(Date.now() + 2 * HOUR);
    const refs = Array.from({ length: 100 }, (_, n) => ({ idempotencyKey: `order-${n}` }));
    await Promise.all(refs.map((ref) => mq.producer.reschedule(topic, ref, { deliverAt: moved })));
    const longer = await keptLonger(moved.getTime() + MINUTE);
    expect(Math.min(...longer)).toBeGreaterThanOrEqual(0);
    expect(new Set(longer.map((ms) => Math.floor(ms / 1000))).size).toBeGreaterThan(20);
  });
});
