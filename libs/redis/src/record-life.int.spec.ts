// How long the records of business keys are kept on a server. That they hold for exactly their window is in the contract suite.
import { randomBytes } from 'node:crypto';
import { Mq, newMessageId } from '@millrace/core';
import { Redis } from 'ioredis';
import { connectRedis, type RedisPorts } from './connect-redis.js';

const connection = process.env['REDIS_URL']!;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('records of business keys', () => {
  const namespace = `record-life-${randomBytes(6).toString('hex')}`;
  const redis = new Redis(connection);
  let mq: Mq;
  let ports: RedisPorts;
  let topic: string;

  beforeEach(() => {
    ports = connectRedis({ connection, namespace });
    mq = new Mq(ports);
    topic = `t-${newMessageId()}`;
  });
  afterEach(() => mq.close());
  afterAll(() => redis.quit());

  interface Bucket {
    /** Unix ms when the key goes, -1 for never. */
    readonly end: number;
    readonly records: Readonly<Record<string, string>>;
  }

  const buckets = async (): Promise<Bucket[]> => {
    const keys = await redis.keys(`{${namespace}:${topic}:0}:id:*`);
    return Promise.all(
      keys.map(async (key) => ({ end: await redis.pexpiretime(key), records: await redis.hgetall(key) })),
    );
  };
  const ends = async (): Promise<number[]> =>
    (await buckets()).flatMap(({ records }) => Object.values(records).map((stored) => Number.parseInt(stored, 10)));
  const send = (count: number, due: Date) =>
    Promise.all(
      Array.from({ length: count }, (_, n) =>
        mq.producer.send(topic, n, { idempotencyKey: `order-${n}`, deliverAt: due }),
      ),
    );
  const refs = (count: number) => Array.from({ length: count }, (_, n) => ({ idempotencyKey: `order-${n}` }));

  it('whose messages are due at one instant end in it, but their keys do not go in it', async () => {
    mq.declareTopic({ topic, idempotencyWindow: '1m' });
    const due = new Date(Date.now() + HOUR);
    await send(500, due);
    const holds = due.getTime() + MINUTE;
    expect(await ends()).toEqual(Array.from({ length: 500 }, () => holds));
    const longer = (await buckets()).map(({ end }) => end - holds);
    expect(Math.min(...longer)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...longer)).toBeLessThanOrEqual(MINUTE);
    // No second of the minute has a tenth of them.
    const perSecond = new Map<number, number>();
    for (const ms of longer) perSecond.set(Math.floor(ms / 1000), (perSecond.get(Math.floor(ms / 1000)) ?? 0) + 1);
    expect(Math.max(...perSecond.values())).toBeLessThan(50);
  });

  it('of messages that are sent at once end a window later', async () => {
    mq.declareTopic({ topic, idempotencyWindow: '1m' });
    const before = Date.now();
    await mq.producer.send(topic, 1, { idempotencyKey: 'k' });
    const [end] = await ends();
    expect(end).toBeGreaterThanOrEqual(before + MINUTE - 1);
    expect(end).toBeLessThanOrEqual(Date.now() + MINUTE + 1);
  });

  it('move with their messages', async () => {
    mq.declareTopic({ topic, idempotencyWindow: '1m' });
    await send(100, new Date(Date.now() + HOUR));
    const moved = new Date(Date.now() + 2 * HOUR);
    await Promise.all(refs(100).map((ref) => mq.producer.reschedule(topic, ref, { deliverAt: moved })));
    const holds = moved.getTime() + MINUTE;
    expect(await ends()).toEqual(Array.from({ length: 100 }, () => holds));
    expect(Math.min(...(await buckets()).map(({ end }) => end))).toBeGreaterThanOrEqual(holds);
  });

  it('go with messages that are cancelled, by key or by id', async () => {
    const receipts = await send(20, new Date(Date.now() + HOUR));
    await Promise.all(refs(10).map((ref) => mq.producer.cancel(topic, ref)));
    expect(await ends()).toHaveLength(10);
    await Promise.all(receipts.map(({ messageId }) => mq.producer.cancel(topic, { messageId })));
    expect(await buckets()).toEqual([]);
  });

  it('of half messages have no end, nor has what they lie in, before they are decided', async () => {
    mq.declareTopic({ topic, idempotencyWindow: '1m' });
    await mq.producer.send(topic, 0);
    const half = async (key: string) => {
      const messageId = newMessageId();
      const identity = { key, record: `k:${key}`, digest: 'd'.repeat(32) };
      const content = { tag: '', orderingKey: '', meta: '{"v":1,"at":1}', body: Buffer.from('1') };
      const message = { messageId, ...content, topic, routingKey: key, identity };
      expect(await ports.half!.prepare(message, { producerGroup: 'g', checkAfterMs: HOUR })).toMatchObject({
        ok: true,
      });
      return message;
    };
    const [committed, rolledBack] = [await half('a'), await half('b')];
    expect((await buckets()).map(({ end }) => end)).toEqual([-1, -1]);
    expect((await ends()).filter((end) => end === 1)).toHaveLength(2);
    await ports.half!.rollback(topic, rolledBack);
    expect(await buckets()).toHaveLength(1);
    await ports.half!.commit(topic, committed);
    const [bucket] = await buckets();
    expect(Object.keys(bucket!.records)).toEqual(['k:a']);
    const [holds] = await ends();
    expect(bucket!.end).toBeGreaterThanOrEqual(holds!);
    expect(Math.abs(holds! - Date.now() - MINUTE)).toBeLessThan(MINUTE);
  });
});
