// One lost reply on each call about half messages, and a store that loses everything: nothing is doubled, no answer changed.
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keyRecord, Mq, newMessageId, topicSpec, type HalfRef, type OutgoingMessage } from '@millrace/core';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { Redis } from 'ioredis';
import { connectRedis, type RedisPorts } from './connect-redis.js';
import { scriptText, type ScriptName } from './scripts.js';

const server = new URL(process.env['REDIS_URL']!);
const TOPIC = 'orders';
const OWNER = { producerGroup: 'shop', checkAfterMs: 0 };

let proxy: TcpProxy;
let namespace: string;
/** Through the proxy. */
let ports: RedisPorts;
/** Beside it: sees what the server holds, and is never hit. */
let witness: RedisPorts;

beforeEach(async () => {
  proxy = await startTcpProxy({ port: Number(server.port), host: server.hostname });
  namespace = `half-${randomBytes(6).toString('hex')}`;
  ports = connectRedis({ connection: `redis://127.0.0.1:${proxy.port}`, namespace });
  witness = connectRedis({ connection: server.href, namespace });
  for (const { broker } of [ports, witness]) await broker.declareTopic(topicSpec({ topic: TOPIC, queues: 1 }));
});

afterEach(async () => {
  await Promise.all([ports.broker.close(), witness.broker.close()]);
  await proxy.close();
});

/** Loses the reply to the next run of a script, whether it goes as text or as digest; `work` starts it. */
async function losing<T>(script: ScriptName, work: () => Promise<T>): Promise<T> {
  const text = scriptText(script);
  const words = [createHash('sha1').update(text).digest('hex'), Buffer.from(text).toString('latin1')];
  const loss = proxy.dropNextReplyTo((request) => words.some((word) => request.toString('latin1').includes(word)));
  const [result] = await Promise.all([work(), loss.done]);
  expect(loss.dropped).toBe(1);
  return result;
}

function message(extra: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const messageId = newMessageId();
  const stored = { messageId, tag: '', orderingKey: '', meta: '{"v":1,"at":1}', body: Buffer.from('1') };
  return { ...stored, topic: TOPIC, routingKey: messageId, ...extra };
}

async function prepared(extra: Partial<OutgoingMessage> = {}): Promise<HalfRef> {
  const half = message(extra);
  expect(await ports.half!.prepare(half, OWNER)).toMatchObject({ ok: true });
  return half;
}

const stats = () => witness.admin.stats(TOPIC);
const take = (options = {}) =>
  ports.half!.takeChecks(TOPIC, 'shop', { max: 10, intervalMs: 60_000, maxChecks: 15, ...options });

async function parked(): Promise<HalfRef> {
  const half = await prepared();
  await take({ intervalMs: 0 });
  for (let found = 0; found === 0;) found = (await take({ maxChecks: 1 })).parked.length;
  return half;
}

async function removeAll(): Promise<void> {
  const redis = new Redis(server.href);
  await redis.unlink(...(await redis.keys(`{${namespace}:*`)));
  await redis.quit();
}

describe('a lost reply', () => {
  it('of a preparation stores the message once, and is no duplicate of itself', async () => {
    const half = message({ identity: { record: keyRecord('k'), key: 'k', digest: 'ab' }, routingKey: 'k' });
    const result = await losing('prepare-half', () => ports.half!.prepare(half, OWNER));
    expect(result).toMatchObject({ ok: true, receipt: { duplicate: false, state: 'half' } });
    expect(await stats()).toMatchObject({ half: 1, accepted: 1 });
  });

  it('of a commit delivers the message once, and the answer says committed', async () => {
    const half = await prepared();
    expect(await losing('commit-half', () => ports.half!.commit(TOPIC, half))).toEqual({ state: 'committed' });
    expect(await stats()).toMatchObject({ half: 0, accepted: 1 });
  });

  it('of a commit with a delay schedules it once, and both answers name one instant', async () => {
    const half = await prepared({ due: { delayMs: 60_000 } });
    const first = await losing('commit-half', () => ports.half!.commit(TOPIC, half));
    expect(first).toEqual({ state: 'committed', dueAt: expect.any(Date) });
    expect(await ports.half!.commit(TOPIC, half)).toEqual(first);
    expect(await stats()).toMatchObject({ half: 0, scheduled: 1, accepted: 1 });
  });

  it('of a rollback counts it once', async () => {
    const half = await prepared();
    expect(await losing('rollback-half', () => ports.half!.rollback(TOPIC, half))).toEqual({ state: 'rolled-back' });
    expect(await stats()).toMatchObject({ half: 0, accepted: 1, rolledBack: 1 });
  });

  it('of a check counts it once, and the one who asked is given it', async () => {
    const half = await prepared();
    const { checks } = await losing('take-checks', () => take());
    expect(checks).toMatchObject([{ checks: 1, message: { messageId: half.messageId } }]);
    expect((await take()).checks).toEqual([]);
  });

  it('of the check that parks tells of it all the same', async () => {
    const half = await prepared();
    await take({ intervalMs: 0 });
    const told = await losing('take-checks', () => take({ maxChecks: 1 }));
    expect(told.parked).toMatchObject([{ messageId: half.messageId, checks: 1 }]);
  });

  it('of an operator’s verbs changes no answer', async () => {
    const [resumed, kept, gone] = [await parked(), await parked(), await parked()];
    const { admin } = ports;
    expect(await losing('resume-half', () => admin.resumeHalf(TOPIC, resumed.messageId))).toBe('resumed');
    expect(await losing('commit-half', () => admin.commitHalf(TOPIC, kept.messageId))).toBe('committed');
    expect(await losing('rollback-half', () => admin.rollbackHalf(TOPIC, gone.messageId))).toBe('rolled-back');
    expect(await stats()).toMatchObject({ half: 1, parkedHalves: 0, accepted: 3, rolledBack: 1 });
  });
});

describe('a store that loses everything', () => {
  it('before the commit: the sender still has the message, and it is delivered once', async () => {
    const mq = new Mq(ports);
    mq.transactionListener({ topic: TOPIC, producerGroup: 'shop' }, async () => 'unknown');
    const options = { producerGroup: 'shop', idempotencyKey: 'k' };
    const receipt = await mq.producer.sendInTransaction(
      TOPIC,
      1,
      async () => {
        await removeAll();
        return 'commit';
      },
      options,
    );
    expect(receipt).toMatchObject({ state: 'accepted', duplicate: false });
    expect(await stats()).toMatchObject({ accepted: 1, half: 0 });
  });

  it('before the preparation: the topic is made again', async () => {
    await removeAll();
    const half = await prepared();
    expect(await ports.half!.commit(TOPIC, half)).toEqual({ state: 'committed' });
    expect(await stats()).toMatchObject({ accepted: 1 });
  });

  it('leaves nothing to be checked', async () => {
    await prepared();
    await removeAll();
    expect(await take()).toEqual({ checks: [], parked: [], nextInMs: undefined });
  });
});
