// The life of a frozen call: whatever clocks say and however late a copy of it arrives, it is executed once at most.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { startRedis } from '@millrace/testing/servers';
import { Redis } from 'ioredis';
import { Caller, UnknownFate } from './caller.js';
import { Connections } from './connections.js';
import { ShardKeys } from './keys.js';
import { defineScripts, runScript } from './scripts.js';

const server = new URL(process.env['REDIS_URL']!);
const LIFE_MS = 60_000;
const HOUR_MS = 3_600_000;

let proxy: TcpProxy;
let connections: Connections;
let witness: Redis;
let keys: ShardKeys;

beforeEach(async () => {
  proxy = await startTcpProxy({ port: Number(server.port), host: server.hostname });
  connections = new Connections(`redis://127.0.0.1:${proxy.port}`, { silenceMs: 15_000 });
  witness = new Redis(server.href);
  keys = new ShardKeys(`life-${randomBytes(6).toString('hex')}`, 'orders', 0);
  await witness.hset(keys.meta, 'v', 1);
});

afterEach(async () => {
  await connections.close();
  await witness.quit();
  await proxy.close();
});

const serverMs = async (): Promise<number> => {
  const [seconds, micros] = await witness.time();
  return Number(seconds) * 1000 + Number(micros) / 1000;
};

/** What goes behind the token of `send`: one plain message. */
const MESSAGE = [60_000, 3, 'id\n\n0\n{}', 'body'];

/** Sends one message by a caller whose idea of the server's clock is wrong by so much. */
async function sendWith(wrongByMs: number): Promise<string> {
  const now = await serverMs();
  const caller = new Caller(connections, 5_000, { now: () => now + wrongByMs });
  return caller.freeze('send', (slot) => keys.slot(slot), [keys.meta, keys.queue(0)], MESSAGE);
}

const stored = (): Promise<number> => witness.xlen(keys.queue(0));

describe('a frozen call', () => {
  it('is not executed after its life, and says what time it is', async () => {
    const slot = keys.slot('somebody.0');
    const copy = [
      [slot, keys.meta, keys.queue(0)],
      ['0.1', (await serverMs()) - 1, ...MESSAGE],
    ] as const;
    await expect(runScript(connections.command(), 'send', ...copy)).resolves.toMatch(/^LATE \d{13}$/);
    expect(await stored()).toBe(0);
    expect(await witness.exists(slot)).toBe(0);
  });

  it('keeps its answer until no copy of it can be executed any more', async () => {
    // Calls whose life ends in the very moment in which they are made, and a little later.
    for (let round = 0; round < 50; round++) {
      const notAfter = Math.ceil(await serverMs()) + (round % 5);
      const names = [keys.slot(`somebody.${round}`), keys.meta, keys.queue(0)];
      const before = await stored();
      while ((await serverMs()) < notAfter + 2) {
        await runScript(connections.command(), 'send', names, ['7.1', notAfter, ...MESSAGE]);
      }
      expect((await stored()) - before).toBeLessThanOrEqual(1);
    }
    expect(await stored()).toBeGreaterThan(20);
  });

  it.each([
    ['behind', -HOUR_MS],
    ['ahead', HOUR_MS],
  ])('is stored once where the clock of the client is an hour %s', async (_, wrongByMs) => {
    await expect(sendWith(wrongByMs)).resolves.toBe('OK');
    expect(await stored()).toBe(1);
  });

  /** Executed at once, its reply lost; the copy that ioredis sends again arrives when the answer is kept no more. */
  async function sendTwice(): Promise<string> {
    await sendWith(0);
    const lost = proxy.dropNextReplyTo(keys.queue(0));
    const sending = sendWith(500 - LIFE_MS);
    await lost.done;
    proxy.delay(250);
    await witness.unlink(await witness.keys(keys.slot('*')));
    return sending;
  }

  it('whose first copy was executed is neither repeated after its life nor called refused', async () => {
    const error = (await sendTwice().catch((reason: unknown) => reason)) as UnknownFate;
    expect(error).toBeInstanceOf(UnknownFate);
    expect(error.isForGood).toBe(true);
    await expect(error.replay()).rejects.toBeInstanceOf(UnknownFate);
    expect(await stored()).toBe(2);
  });

  it('that is insisted on is made anew when its life is over', async () => {
    const caller = new Caller(connections, 5_000, { now: () => 0 });
    let asked = 0;
    const answer = await caller.insist(() => (asked++ === 0 ? sendTwice() : sendWith(0)));
    expect({ answer, asked, stored: await stored() }).toEqual({ answer: 'OK', asked: 2, stored: 3 });
  });
});

describe('the life of a block of slots', () => {
  const MINUTE = 60_000;
  const KEPT_LONGER_MS = 10_000;
  let now: number;
  let block: string;

  beforeEach(async () => {
    now = Math.ceil(await serverMs());
    block = keys.slot('somebody.0');
  });

  const call = (token: string, notAfter: number): Promise<unknown> =>
    runScript(connections.command(), 'send', [block, keys.meta, keys.queue(0)], [token, notAfter, ...MESSAGE]);
  const end = (): Promise<number> => witness.pexpiretime(block);

  it('is not shortened by a caller whose clock goes back, so that its answer refuses late copies', async () => {
    let clock = now + 5_000;
    const caller = new Caller(connections, 5_000, { now: () => clock });
    const send = (): Promise<string> =>
      caller.freeze('send', (slot) => keys.slot(slot), [keys.meta, keys.queue(0)], MESSAGE);
    await send();
    const [slot] = await witness.keys(keys.slot('*'));
    const before = await witness.pexpiretime(slot!);
    clock -= 5_000;
    await send();
    expect(await witness.pexpiretime(slot!)).toBe(before);
    expect(await witness.hgetall(slot!)).toEqual({ 0: `2 ${before} OK` });
  });

  it('ends later than the latest of its calls may be executed, whichever was made first', async () => {
    await call('0.1', now + MINUTE);
    expect(await end()).toBeGreaterThanOrEqual(now + MINUTE + KEPT_LONGER_MS);
    await call('1.1', now + 3 * MINUTE);
    const longest = await end();
    expect(longest).toBeGreaterThanOrEqual(now + 3 * MINUTE + KEPT_LONGER_MS);
    await call('2.1', now + 2 * MINUTE);
    await call('0.2', now + 2 * MINUTE);
    await call('2.1', now + 2 * MINUTE);
    expect(await end()).toBe(longest);
    expect(await stored()).toBe(4);
  });

  it('is not shortened by a settle, which has to be possible with full memory', async () => {
    await call('0.1', now + 3 * MINUTE);
    const before = await end();
    const settle = (script: 'ack' | 'settle', token: string): Promise<unknown> =>
      runScript(connections.command(), script, [block, keys.meta], [token, now + MINUTE, 'g', 'c', 0]);
    await expect(settle('ack', '1.1')).resolves.toMatch(/^SETTLED/);
    await expect(settle('settle', '2.1')).resolves.toMatch(/^SETTLED/);
    expect(await end()).toBe(before);
  });

  it('is prolonged for a slot whose answer still knows an earlier end', async () => {
    await call('0.1', now + MINUTE);
    const first = await end();
    // Within the step by which it was made longer than needed.
    await call('0.2', now + MINUTE + 5_000);
    expect(await end()).toBe(first);
    await call('0.3', now + MINUTE + 15_000);
    expect(await end()).toBeGreaterThanOrEqual(now + MINUTE + 15_000 + KEPT_LONGER_MS);
  });

  it('does not stand in the way of a replay with full memory', async () => {
    const small = await startRedis();
    const redis = new Redis(small.url);
    try {
      defineScripts(redis, false);
      await redis.hset(keys.meta, 'v', 1);
      const send = (token: string): Promise<unknown> =>
        runScript(redis, 'send', [block, keys.meta, keys.queue(0)], [token, now + MINUTE, ...MESSAGE]);
      await send('0.1');
      await redis.config('SET', 'maxmemory', 1);
      await expect(send('0.1')).resolves.toBe('OK');
      await expect(send('0.2')).rejects.toThrow('OOM');
    } finally {
      redis.disconnect();
      await small.stop();
    }
  });

  it('is given again to a block that was lost', async () => {
    await call('0.1', now + MINUTE);
    await witness.unlink(block);
    await call('0.2', now + MINUTE);
    expect(await end()).toBeGreaterThanOrEqual(now + MINUTE + KEPT_LONGER_MS);
  });

  it('leaves the answers of other slots as they are', async () => {
    for (const token of ['0.1', '1.5', '0.2']) await call(token, now + MINUTE);
    expect(await stored()).toBe(3);
    await expect(call('1.5', now + MINUTE)).resolves.toBe('OK');
    await expect(call('0.2', now + MINUTE)).resolves.toBe('OK');
    await expect(call('0.1', now + MINUTE)).resolves.toBe('STALE');
    expect(await stored()).toBe(3);
  });
});
