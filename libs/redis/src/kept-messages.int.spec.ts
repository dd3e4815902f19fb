// Messages that others have lost: those a removed consumer still held, and those that waited and could not be read.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mq, newMessageId, topicSpec, type OutgoingMessage } from '@millrace/core';
import { connectRedis, type RedisPorts } from './connect-redis.js';

const TOPIC = 'orders';
const group = { topic: TOPIC, group: 'g', mode: 'concurrent', leaseMs: 200, startFrom: 'first' } as const;
let namespace: string;
let ports: RedisPorts;

const open = (): RedisPorts => connectRedis({ connection: process.env['REDIS_URL']!, namespace });

function message(extra: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const messageId = newMessageId();
  const stored = { messageId, tag: '', orderingKey: '', meta: '{"v":1,"at":1}', body: Buffer.from('1') };
  return { ...stored, topic: TOPIC, routingKey: messageId, ...extra };
}

beforeEach(async () => {
  namespace = `kept-${randomBytes(6).toString('hex')}`;
  ports = open();
  await ports.broker.declareTopic(topicSpec({ topic: TOPIC, queues: 1 }));
});

afterEach(() => ports.broker.close());

describe('nothing is lost', () => {
  it('of what a consumer still holds when it is removed: another one takes it over', async () => {
    const leaving = open();
    await leaving.broker.declareTopic(topicSpec({ topic: TOPIC, queues: 1 }));
    const former = await leaving.broker.subscribe({ ...group, consumer: 'former' });
    await ports.broker.send([message(), message()]);
    expect(await leaving.broker.receive(former, 0, { max: 2, waitMs: 1_000 })).toHaveLength(2);
    // Removes its consumer, if nothing is pending for it.
    await leaving.broker.close();
    const heir = await ports.broker.subscribe({ ...group, consumer: 'heir' });
    let taken = 0;
    while (taken < 2) taken += (await ports.broker.reclaim(heir, 0, { max: 10 })).length;
    expect(taken).toBe(2);
  });

  it('of a scheduled message that cannot be read: it becomes a dead letter when it is due', async () => {
    const unreadable = message({ meta: 'no envelope', due: { delayMs: 50 } });
    await ports.broker.send([unreadable]);
    const mq = new Mq(open());
    mq.listen({ topic: TOPIC, group: 'g' }, async () => undefined);
    const dead = mq.events.next('dead-letter');
    await mq.start();
    expect(await dead).toMatchObject({ messageId: unreadable.messageId, reason: 'undecodable' });
    await mq.close();
  });
});
