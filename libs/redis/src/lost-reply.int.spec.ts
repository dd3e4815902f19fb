// One lost reply on each call: the server has done it, the client never hears of it and asks again. Nothing may be
// doubled or lost, no answer changed, no attempt spent.
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  FIRST_DELIVERY,
  newMessageId,
  keyRecord,
  SendUnknownError,
  topicSpec,
  type Delivery,
  type OnceClaim,
  type OutgoingMessage,
  type Settlement,
  type Subscription,
} from '@millrace/core';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { Redis } from 'ioredis';
import { connectRedis, type RedisPorts } from './connect-redis.js';
import { scriptText, type ScriptName } from './scripts.js';

const server = new URL(process.env['REDIS_URL']!);
const TOPIC = 'orders';
const LEASE_MS = 400;

let proxy: TcpProxy;
let namespace: string;
/** Through the proxy. */
let ports: RedisPorts;
/** Beside it: sees what the server holds, and is never hit. */
let witness: RedisPorts;
let subscription: Subscription;

const group = { topic: TOPIC, group: 'g', mode: 'concurrent', leaseMs: LEASE_MS, startFrom: 'first' } as const;

beforeEach(async () => {
  proxy = await startTcpProxy({ port: Number(server.port), host: server.hostname });
  namespace = `lost-${randomBytes(6).toString('hex')}`;
  ports = connectRedis({ connection: `redis://127.0.0.1:${proxy.port}`, namespace });
  witness = connectRedis({ connection: server.href, namespace });
  for (const { broker } of [ports, witness]) await broker.declareTopic(topicSpec({ topic: TOPIC, queues: 1 }));
  subscription = await ports.broker.subscribe({ ...group, consumer: 'one' });
});

afterEach(async () => {
  await Promise.all([ports.broker.close(), witness.broker.close()]);
  await proxy.close();
});

function onceClaim(messageId: string): OnceClaim {
  const common = { topic: TOPIC, group: 'g', name: 'k', routingKey: 'k' };
  return { ...common, messageId, fence: 1, leaseMs: 60_000, ttlMs: 60_000 };
}

/** Loses the reply to the next run of a script, whether it goes as text or as digest; `work` starts it. */
async function losing<T>(script: ScriptName | 'xreadgroup', work: () => Promise<T>): Promise<T> {
  const words = script === 'xreadgroup' ? ['XREADGROUP'] : scriptWords(script);
  const loss = proxy.dropNextReplyTo((request) => words.some((word) => request.toString('latin1').includes(word)));
  const [result] = await Promise.all([work(), loss.done]);
  expect(loss.dropped).toBe(1);
  return result;
}

function scriptWords(script: ScriptName): string[] {
  const text = scriptText(script);
  return [createHash('sha1').update(text).digest('hex'), Buffer.from(text).toString('latin1')];
}

function message(extra: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const messageId = newMessageId();
  const stored = { messageId, tag: '', orderingKey: '', meta: '{"v":1,"at":1}', body: Buffer.from('1') };
  return { ...stored, topic: TOPIC, routingKey: messageId, ...extra };
}

const keyed = (key: string, extra: Partial<OutgoingMessage> = {}): OutgoingMessage =>
  message({ routingKey: key, identity: { record: keyRecord(key), key, digest: 'ab' }, ...extra });

const delayed = { due: { delayMs: 60_000 } };

async function leased(count: number): Promise<Delivery[]> {
  const deliveries = await ports.broker.receive(subscription, 0, { max: 10, waitMs: 1_000 });
  expect(deliveries).toHaveLength(count);
  return deliveries;
}

const settle = async (delivery: Delivery, settlement: Settlement): Promise<string> =>
  (await ports.broker.settle([{ delivery, settlement }]))[0]!;

const groupStats = async () => (await witness.admin.stats(TOPIC)).groups[0]!;

describe('a lost reply', () => {
  it('of a send stores the messages once, and the receipts say so', async () => {
    const results = await losing('send', () => ports.broker.send([message(), message(), message()]));
    expect(results.map((result) => result.ok && result.receipt.duplicate)).toEqual([false, false, false]);
    expect(await witness.admin.stats(TOPIC)).toMatchObject({ accepted: 3 });
    await leased(3);
  });

  it('of a send with an idempotency key does not make it a duplicate of itself', async () => {
    const [first] = await losing('send', () => ports.broker.send([keyed('k', delayed)]));
    expect(first).toMatchObject({ ok: true, receipt: { duplicate: false, state: 'scheduled' } });
    const [second] = await ports.broker.send([keyed('k', delayed)]);
    expect(second).toMatchObject({ ok: true, receipt: { duplicate: true } });
  });

  it('of a receive neither loses the deliveries nor spends an attempt', async () => {
    await ports.broker.send([message(), message()]);
    await losing('xreadgroup', async () => {
      const seen = new Set<string>();
      while (seen.size < 2) {
        const deliveries = await ports.broker.receive(subscription, 0, { max: 10, waitMs: 100 });
        for (const {
          message: { messageId },
          state,
        } of deliveries) {
          expect(state).toEqual(FIRST_DELIVERY);
          expect(seen.has(messageId)).toBe(false);
          seen.add(messageId);
        }
      }
    });
    expect(await groupStats()).toMatchObject({ ready: 0, leased: 2 });
  });

  it('of an ordered receive brings what the lost reply held before anything later', async () => {
    const ordered = await ports.broker.subscribe({ ...group, group: 'o', mode: 'ordered', consumer: 'one' });
    const lease = (await ports.leases.acquire(ordered, 0, 0, 'one'))!;
    const read = (): Promise<Delivery[]> => ports.broker.receive(ordered, 0, { max: 1, waitMs: 0, leases: [lease] });
    // Past what a former owner may have left: from here on it reads what is new.
    expect(await read()).toEqual([]);
    const sent = [1, 2, 3].map((number) =>
      message({ orderingKey: 'k', routingKey: 'k', body: Buffer.from(`${number}`) }),
    );
    await witness.broker.send(sent);
    const received = await losing('read-ordered', read);
    while (received.length < sent.length) {
      const more = await read();
      if (more.length === 0) break;
      received.push(...more);
    }
    expect(received.map(({ message: { body } }) => body.toString())).toEqual(['1', '2', '3']);
  });

  it('of an ack still says settled, and the message is done once', async () => {
    await ports.broker.send([message()]);
    const [delivery] = await leased(1);
    expect(await losing('ack', () => settle(delivery!, { type: 'ack' }))).toBe('settled');
    expect(await groupStats()).toMatchObject({ leased: 0, done: 1 });
  });

  it('of a retry still says settled, and the message comes again once', async () => {
    await ports.broker.send([message()]);
    const [delivery] = await leased(1);
    const state = { ...FIRST_DELIVERY, attempt: 2 };
    expect(await losing('settle', () => settle(delivery!, { type: 'retry', delayMs: 60_000, state }))).toBe('settled');
    expect(await groupStats()).toMatchObject({ leased: 0, retrying: 1, ready: 0 });
  });

  it('of a release still says settled, and the message is handed back once', async () => {
    await ports.broker.send([message()]);
    const [delivery] = await leased(1);
    expect(await losing('settle', () => settle(delivery!, { type: 'release', delayMs: 0 }))).toBe('settled');
    expect(await groupStats()).toMatchObject({ leased: 0, retrying: 0, ready: 1 });
  });

  it('of a dead letter still says settled, and there is one dead letter', async () => {
    await ports.broker.send([message()]);
    const [delivery] = await leased(1);
    const settlement = { type: 'dead-letter', reason: 'rejected', state: FIRST_DELIVERY } as const;
    expect(await losing('settle', () => settle(delivery!, settlement))).toBe('settled');
    expect(await groupStats()).toMatchObject({ leased: 0, dead: 1 });
  });

  it('of a reclaim brings the deliveries with the next read, with their crash counted once', async () => {
    const former = await witness.broker.subscribe({ ...group, consumer: 'former' });
    await ports.broker.send([message()]);
    const started = await witness.broker.receive(former, 0, { max: 10, waitMs: 1_000 });
    await witness.broker.markStarted(started);
    const taken = await losing('reclaim', async () => {
      for (;;) {
        const reclaimed = await ports.broker.reclaim(subscription, 0, { max: 10 });
        const adopted = await ports.broker.receive(subscription, 0, { max: 10, waitMs: 20 });
        if (reclaimed.length + adopted.length > 0) return [...reclaimed, ...adopted];
      }
    });
    expect(taken.map(({ state }) => [state.attempt, state.crashes])).toEqual([[1, 1]]);
    expect(await settle(taken[0]!, { type: 'ack' })).toBe('settled');
    expect(await groupStats()).toMatchObject({ leased: 0, done: 1 });
  });

  it('of a promote makes each due message ready once', async () => {
    await ports.broker.send([message({ due: { delayMs: 20 } }), message({ due: { delayMs: 20 } })]);
    await losing('promote', async () => {
      while ((await witness.admin.stats(TOPIC)).scheduled > 0) await ports.broker.promote(TOPIC, 0, { max: 10 });
    });
    await leased(2);
    expect(await groupStats()).toMatchObject({ ready: 0, leased: 2 });
  });

  it('of a cancel still says cancelled', async () => {
    await ports.broker.send([keyed('k', delayed)]);
    expect(await losing('cancel', () => ports.broker.cancel(TOPIC, { idempotencyKey: 'k' }))).toBe('cancelled');
    expect(await witness.admin.stats(TOPIC)).toMatchObject({ scheduled: 0, cancelled: 1 });
  });

  it('of a reschedule still says rescheduled', async () => {
    await ports.broker.send([keyed('k', delayed)]);
    const answer = losing('reschedule', () =>
      ports.broker.reschedule(TOPIC, { idempotencyKey: 'k' }, { delayMs: 90_000 }),
    );
    expect(await answer).toBe('rescheduled');
  });

  it('of a renew keeps the leases', async () => {
    await ports.broker.send([message()]);
    const deliveries = await leased(1);
    expect(await losing('renew', () => ports.broker.renew(deliveries))).toHaveLength(1);
  });

  it('of a note that a handler starts counts one crash, not two', async () => {
    await ports.broker.send([message()]);
    const deliveries = await leased(1);
    await losing('mark-started', () => ports.broker.markStarted(deliveries));
    const successor = await witness.broker.subscribe({ ...group, consumer: 'successor' });
    let reclaimed: Delivery[] = [];
    while (reclaimed.length === 0) reclaimed = await witness.broker.reclaim(successor, 0, { max: 10 });
    expect(reclaimed[0]!.state.crashes).toBe(1);
  });

  it('of an ack that takes a note of a start along says settled, and counts one crash of the started one', async () => {
    await ports.broker.send([message(), message()]);
    const [ended, started] = await leased(2);
    const answer = losing('ack', async () => {
      const settled = settle(ended!, { type: 'ack' });
      // In the same turn: so the note goes with what is to be acknowledged.
      await ports.broker.markStarted([started!]);
      return settled;
    });
    expect(await answer).toBe('settled');
    expect(await groupStats()).toMatchObject({ leased: 1, done: 1 });
    const successor = await witness.broker.subscribe({ ...group, consumer: 'successor' });
    let reclaimed: Delivery[] = [];
    while (reclaimed.length === 0) reclaimed = await witness.broker.reclaim(successor, 0, { max: 10 });
    expect(reclaimed.map(({ entryId, state }) => [entryId, state.crashes])).toEqual([[started!.entryId, 1]]);
  });

  it('of a claim of an idempotent listener leaves its holder not busy with itself', async () => {
    const claim = onceClaim('a');
    expect(await losing('claim-once', () => ports.once.claim([claim]))).toEqual([{ type: 'granted' }]);
    expect(await witness.once.claim([onceClaim('b')])).toEqual([{ type: 'busy', leftMs: expect.any(Number) }]);
    expect(await losing('renew-once', () => ports.once.renew([claim]))).toEqual([claim]);
  });

  it('of a completed claim still says completed, with its own result', async () => {
    const claim = onceClaim('a');
    await ports.once.claim([claim]);
    expect(await losing('complete-once', () => ports.once.complete(claim, '1'))).toBe('completed');
    const done = { type: 'done', messageId: 'a', result: '1' };
    expect(await losing('claim-once', () => ports.once.claim([onceClaim('b')]))).toEqual([done]);
  });

  it('of a release frees the key once, and takes it from nobody who has claimed it since', async () => {
    const claim = onceClaim('a');
    await ports.once.claim([claim]);
    await losing('release-once', () => ports.once.release(claim));
    expect(await witness.once.claim([onceClaim('b')])).toEqual([{ type: 'granted' }]);
    await ports.once.release(claim);
    expect(await ports.once.claim([onceClaim('c')])).toEqual([{ type: 'busy', leftMs: expect.any(Number) }]);
  });

  it('of a redrive returns each dead letter once, and the answer names it', async () => {
    await ports.broker.send([message()]);
    const [delivery] = await leased(1);
    await settle(delivery!, { type: 'dead-letter', reason: 'rejected', state: FIRST_DELIVERY });
    const redriven = await losing('redrive', () => ports.admin.redrive(TOPIC, 'g', { max: 10 }));
    expect(redriven).toEqual([delivery!.message.messageId]);
    expect(await groupStats()).toMatchObject({ dead: 0, ready: 1 });
  });
});

describe('a lost reply of a replay', () => {
  it('puts each message back once, and the answer counts it', async () => {
    await ports.broker.send([message(), message()]);
    const deliveries = await leased(2);
    await ports.broker.settle(deliveries.map((delivery) => ({ delivery, settlement: { type: 'ack' } as const })));
    const report = await losing('put-back', () => ports.admin.replay(TOPIC, 'g', { to: 'first' }));
    expect(report).toMatchObject({ putBack: 2, interrupted: 0 });
    expect(await ports.broker.reclaim(subscription, 0, { max: 10 })).toHaveLength(2);
  });

  it('skips each message once, and the answer counts it', async () => {
    await ports.broker.send([message(), message()]);
    const report = await losing('pass-over', () => ports.admin.replay(TOPIC, 'g', { to: 'last' }));
    expect(report).toMatchObject({ skipped: 2 });
    const [row] = (await witness.admin.stats(TOPIC)).groups;
    expect(row).toMatchObject({ ready: 0, passed: 2 });
  });
});

describe('a send whose fate is not known at its deadline', () => {
  it('rejects with SendUnknownError, and its retry gives the receipt without storing it twice', async () => {
    const hasty = connectRedis({ connection: `redis://127.0.0.1:${proxy.port}`, namespace, sendTimeout: '1s' });
    try {
      await hasty.broker.declareTopic(topicSpec({ topic: TOPIC, queues: 1 }));
      const stored = proxy.dropReplies({ until: new Promise(() => undefined) });
      const [result] = await hasty.broker.send([message()]);
      const error = result!.ok ? undefined : result!.error;
      expect(error).toBeInstanceOf(SendUnknownError);
      expect(error).toMatchObject({ code: 'MQ_SEND_UNKNOWN', retriable: true });
      stored.stop();
      await expect((error as SendUnknownError).retry()).resolves.toMatchObject({ duplicate: false });
      expect(await witness.admin.stats(TOPIC)).toMatchObject({ accepted: 1 });
    } finally {
      await hasty.broker.close();
    }
  });

  it('is replayed once for all messages of its call, however many of them are asked for at once', async () => {
    const hasty = connectRedis({ connection: `redis://127.0.0.1:${proxy.port}`, namespace, sendTimeout: '1s' });
    try {
      await hasty.broker.declareTopic(topicSpec({ topic: TOPIC, queues: 1 }));
      const stored = proxy.dropReplies({ until: new Promise(() => undefined) });
      const results = await hasty.broker.send(Array.from({ length: 100 }, () => message()));
      stored.stop();
      let replays = 0;
      proxy.refuseRequests((request) => {
        if (request.includes(':tok:')) replays++;
        return false;
      }, 'ERR never');
      const errors = results.map((result) => (result.ok ? undefined : result.error) as SendUnknownError);
      const receipts = await Promise.all(errors.map((error) => error.retry()));
      expect(receipts).toHaveLength(100);
      expect(replays).toBeGreaterThan(0);
      // One, and once more as a text where the server does not know the script yet.
      expect(replays).toBeLessThanOrEqual(2);
      expect(await witness.admin.stats(TOPIC)).toMatchObject({ accepted: 100 });
    } finally {
      await hasty.broker.close();
    }
  });

  it('is stored by its retry even when the topic was lost meanwhile', async () => {
    const hasty = connectRedis({ connection: `redis://127.0.0.1:${proxy.port}`, namespace, sendTimeout: '1s' });
    const redis = new Redis(server.href);
    try {
      await hasty.broker.declareTopic(topicSpec({ topic: TOPIC, queues: 1 }));
      const lost = proxy.dropReplies({ until: new Promise(() => undefined) });
      const [result] = await hasty.broker.send([message()]);
      const error = result!.ok ? undefined : result!.error;
      expect(error).toBeInstanceOf(SendUnknownError);
      await redis.unlink(...(await redis.keys(`{${namespace}:*`)));
      lost.stop();
      await expect((error as SendUnknownError).retry()).resolves.toMatchObject({ duplicate: false, state: 'accepted' });
      expect(await witness.admin.stats(TOPIC)).toMatchObject({ accepted: 1 });
    } finally {
      await redis.quit();
      await hasty.broker.close();
    }
  });
});
