// One lost reply on each call of an ordered group: nothing is lost, doubled or reordered, and no answer changes.
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  FIRST_DELIVERY,
  newMessageId,
  topicSpec,
  type Delivery,
  type QueueLease,
  type Subscription,
} from '@millrace/core';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { connectRedis, type RedisPorts } from './connect-redis.js';
import { scriptText, type ScriptName } from './scripts.js';

const server = new URL(process.env['REDIS_URL']!);
const TOPIC = 'orders';
const RETRY = { type: 'retry', delayMs: 0, state: { ...FIRST_DELIVERY, attempt: 2 } } as const;

let proxy: TcpProxy;
/** Through the proxy. */
let ports: RedisPorts;
/** Beside it: sees what the server holds, and is never hit. */
let witness: RedisPorts;
let subscription: Subscription;
let leases: QueueLease[];

beforeEach(async () => {
  proxy = await startTcpProxy({ port: Number(server.port), host: server.hostname });
  const namespace = `lost-ordered-${randomBytes(6).toString('hex')}`;
  ports = connectRedis({ connection: `redis://127.0.0.1:${proxy.port}`, namespace });
  witness = connectRedis({ connection: server.href, namespace });
  for (const { broker } of [ports, witness]) await broker.declareTopic(topicSpec({ topic: TOPIC, queues: 1 }));
  const group = { topic: TOPIC, group: 'g', mode: 'ordered', leaseMs: 30_000, startFrom: 'first' } as const;
  subscription = await ports.broker.subscribe({ ...group, consumer: 'one' });
  leases = [(await ports.leases.acquire(subscription, 0, 0, 'one'))!];
});

afterEach(async () => {
  await Promise.all([ports.broker.close(), witness.broker.close()]);
  await proxy.close();
});

/** Loses the reply to the next run of a script whose call names `about`, sent as text or as digest; `work` starts it. */
async function losing<T>(script: ScriptName, work: () => Promise<T>, about = ''): Promise<T> {
  const text = scriptText(script);
  const words = [createHash('sha1').update(text).digest('hex'), Buffer.from(text).toString('latin1')];
  const loss = proxy.dropNextReplyTo((request) => {
    const sent = request.toString('latin1');
    return sent.includes(about) && words.some((word) => sent.includes(word));
  });
  const [result] = await Promise.all([work(), loss.done]);
  expect(loss.dropped).toBe(1);
  return result;
}

async function send(...texts: string[]): Promise<void> {
  const batch = texts.map((text) => {
    const stored = {
      messageId: newMessageId(),
      tag: '',
      orderingKey: 'a',
      meta: '{"v":1,"at":1}',
      body: Buffer.from(text),
    };
    return { ...stored, topic: TOPIC, routingKey: 'a' };
  });
  for (const result of await witness.broker.send(batch)) expect(result.ok).toBe(true);
}

/** Everything that comes, each hand-over once: what comes again after a lost reply is known to whoever has it. */
async function read(count: number, max = 100): Promise<Delivery[]> {
  const found = new Map<string, Delivery>();
  while (found.size < count)
    for (const delivery of await ports.broker.receive(subscription, 0, { max, waitMs: 200, leases }))
      if (!found.has(delivery.entryId)) found.set(delivery.entryId, delivery);
  return [...found.values()];
}

const bodies = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ message }) => message.body.toString());
const ack = async (...deliveries: Delivery[]): Promise<string[]> =>
  ports.broker.settle(deliveries.map((delivery) => ({ delivery, settlement: { type: 'ack' } as const })));
const stats = async () => (await witness.admin.stats(TOPIC)).groups[0]!;

/** `a1` has failed and is due; `a2` and `a3` wait behind it. */
async function parked(
  settlement: typeof RETRY | { type: 'park'; reason: 'attempts-exhausted'; state: typeof FIRST_DELIVERY } = RETRY,
) {
  await send('a1');
  const [first] = await read(1);
  await ports.broker.settle([{ delivery: first!, settlement }]);
  await send('a2', 'a3');
}

const PARK = { type: 'park', reason: 'attempts-exhausted', state: FIRST_DELIVERY } as const;

describe('in ordered mode a lost reply', () => {
  it('of a read brings every message once more, in order, and no later one before', async () => {
    await send('a1', 'a2', 'a3');
    expect(await read(3)).toHaveLength(3);
    await send('a4', 'a5');
    // One at a time: whoever asks again gets the next one.
    const found = await losing('read-ordered', () => read(5, 1), ':q:0');
    expect(bodies(found).filter((body) => body > 'a3')).toEqual(['a4', 'a5']);
    expect(await stats()).toMatchObject({ leased: 5 });
  });

  it('of a read that takes a page brings the same page again, under the same hand-over', async () => {
    await parked();
    const [first] = await losing('read-ordered', () => read(1), ':rs:0');
    expect([first!.source, first!.message.body.toString()]).toEqual(['parked', 'a1']);
    expect(await ack(first!)).toEqual(['settled']);
    const rest = await losing('read-ordered', () => read(2), ':rs:0');
    expect(bodies(rest)).toEqual(['a2', 'a3']);
    expect(await ack(...rest)).toEqual(['settled', 'settled']);
    expect(await stats()).toMatchObject({ done: 3, parked: 0, retrying: 0, leased: 0, ready: 0 });
  });

  it('of a retry still says settled, and the message comes again once', async () => {
    await send('a1');
    const [first] = await read(1);
    const settle = (): Promise<string[]> => ports.broker.settle([{ delivery: first!, settlement: RETRY }]);
    expect(await losing('settle', settle)).toEqual(['settled']);
    expect(await stats()).toMatchObject({ retrying: 1, parked: 0, leased: 0 });
    const [again] = await read(1);
    expect(again!.state.attempt).toBe(2);
  });

  it('of followers that are parked still says settled, and they are there once, in order', async () => {
    await send('a1', 'a2', 'a3');
    const [head, ...rest] = await read(3);
    const follow = rest.map((delivery) => ({ delivery, settlement: { type: 'follow' } as const }));
    expect(await losing('settle', () => ports.broker.settle(follow))).toEqual(['settled', 'settled']);
    await ports.broker.settle([{ delivery: head!, settlement: { type: 'ack', leadsParked: true } }]);
    expect(bodies(await read(2))).toEqual(['a2', 'a3']);
    expect(await stats()).toMatchObject({ done: 1, leased: 2, parked: 0 });
  });

  it('of waking what is due wakes it once', async () => {
    await send('a1');
    const [first] = await read(1);
    await ports.broker.settle([{ delivery: first!, settlement: { ...RETRY, delayMs: 20 } }]);
    await losing('wake-parked', async () => {
      while ((await ports.broker.promote(TOPIC, 0, { max: 10 })).nextDueInMs !== undefined);
    });
    expect(await read(1)).toHaveLength(1);
    expect(await stats()).toMatchObject({ retrying: 0, leased: 1 });
  });

  it('of a resume says resumed, and the key runs once', async () => {
    await parked(PARK);
    expect(await losing('resume-key', () => ports.admin.resumeKey(TOPIC, 'g', 'a'))).toBe('resumed');
    expect(bodies(await read(1))).toEqual(['a1']);
    expect(await stats()).toMatchObject({ leased: 1, parked: 2 });
  });

  it('of a skip skips one message, and names it', async () => {
    await parked(PARK);
    const answer = await losing('skip-key', () => ports.admin.skipKey(TOPIC, 'g', 'a'));
    expect(answer.result).toBe('skipped');
    const letters = await witness.admin.deadLetters(TOPIC, 'g', { offset: 0, limit: 10 });
    expect(letters.map(({ messageId }) => messageId)).toEqual([answer.messageId]);
    expect(bodies(await read(2))).toEqual(['a2', 'a3']);
  });
});
