// Idempotent listeners on a real server: what the contract cannot see, because it plays the port by hand.
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mq, type IdempotentOptions, type MqContext } from '@millrace/core';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { Redis } from 'ioredis';
import { connectRedis } from './connect-redis.js';
import { scriptText, type ScriptName } from './scripts.js';

const server = new URL(process.env['REDIS_URL']!);
const TOPIC = 'orders';
const KEYS = 40;
const COPIES = 5;

/** Of messages that differ in everything else, so that they lie in all shards. */
const byOrder: IdempotentOptions = { key: ({ body }) => `order ${(body as { order: number }).order}` };

describe('idempotent listeners of two processes on three shards', () => {
  let namespace: string;
  let proxy: TcpProxy;
  let members: Mq[];
  let runs: number[];

  beforeEach(async () => {
    namespace = `idem-${randomBytes(6).toString('hex')}`;
    proxy = await startTcpProxy({ port: Number(server.port), host: server.hostname });
    members = [];
    runs = [];
  });
  afterEach(async () => {
    await Promise.all(members.map((mq) => mq.close()));
    await proxy.close();
    const redis = new Redis(server.href);
    const keys = await redis.keys(`{${namespace}:*`);
    if (keys.length > 0) await redis.unlink(...keys);
    await redis.quit();
  });

  function member(connection: string, handler: (context: MqContext) => Promise<unknown>): Mq {
    const ports = connectRedis({ connection, namespace });
    const mq = new Mq(ports, { topics: [{ topic: TOPIC, shards: 3, queues: 6 }] });
    const terms = { lease: 1000, backoff: { type: 'fixed', delay: 10 } } as const;
    mq.listen({ topic: TOPIC, group: 'billing', idempotent: byOrder, ...terms }, handler);
    members.push(mq);
    return mq;
  }

  /** Fails the first time it sees a key; otherwise it counts. */
  const failing = (seen: Set<number>) => async (context: MqContext) => {
    const { order } = context.message.body as { order: number };
    if (order % 4 === 0 && !seen.has(order)) {
      seen.add(order);
      throw new Error('failed on purpose');
    }
    runs[order] = (runs[order] ?? 0) + 1;
    return `receipt ${order}`;
  };

  async function sendAll(mq: Mq): Promise<void> {
    const sends = Array.from({ length: KEYS * COPIES }, (_, n) =>
      mq.producer.send(TOPIC, { order: n % KEYS, copy: n }, { tag: `t${n % 3}` }),
    );
    await Promise.all(sends);
  }

  /** Resolves when each message was acked: run, or told that its key is done. */
  function allEnded(): Promise<unknown> {
    let left = KEYS * COPIES;
    return new Promise<void>((resolve) => {
      for (const { events } of members) {
        for (const name of ['done', 'duplicate'] as const) events.on(name, () => --left === 0 && resolve());
      }
    });
  }

  it('run once for each key, although first tries fail; the others are told the result', async () => {
    const seen = new Set<number>();
    const [one, two] = [member(server.href, failing(seen)), member(server.href, failing(seen))];
    const results = new Set<unknown>();
    for (const { events } of members) events.on('duplicate', ({ result }) => results.add(result));
    await Promise.all([one.start(), two.start()]);
    const ended = allEnded();
    await sendAll(one);
    await ended;
    expect(runs).toEqual(Array.from({ length: KEYS }, () => 1));
    expect([...results].toSorted()).toEqual(Array.from({ length: KEYS }, (_, n) => `receipt ${n}`).toSorted());
    const [stats] = (await one.admin.stats(TOPIC)).groups;
    expect(stats).toMatchObject({ done: KEYS * COPIES, leased: 0, retrying: 0, dead: 0 });
  });

  it('run once for each key while replies to claims, completions, releases and acks are lost', async () => {
    const connection = `redis://127.0.0.1:${proxy.port}`;
    const [one, two] = [member(connection, failing(new Set())), member(connection, failing(new Set()))];
    await Promise.all([one.start(), two.start()]);
    const ended = allEnded();
    const losses = (['claim-once', 'complete-once', 'release-once', 'ack'] as const).map((script) =>
      proxy.dropNextReplyTo((request) => wordsOf(script).some((word) => request.includes(word)), { count: 3 }),
    );
    await sendAll(one);
    await ended;
    expect(losses.map(({ dropped }) => dropped > 0)).toEqual([true, true, true, true]);
    expect(runs).toEqual(Array.from({ length: KEYS }, () => 1));
  });
});

/** A script is asked for by its digest, or as a text where the server does not know it yet. */
function wordsOf(script: ScriptName): string[] {
  const text = scriptText(script);
  return [createHash('sha1').update(text).digest('hex'), text];
}
