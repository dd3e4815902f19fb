// The life of a frozen call: whatever clocks say and however late a copy of it arrives, it is executed once at most.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';
import { Redis } from 'ioredis';
import { Caller, UnknownFate } from './caller.js';
import { Connections } from './connections.js';
import { ShardKeys } from './keys.js';
import { runScript } from './scripts.js';

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
const MESSAGE = [60_000, 3, 'id', '', '', '{}', 'body'];

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
      [1, (await serverMs()) - 1, ...MESSAGE],
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
        await runScript(connections.command(), 'send', names, [1, notAfter, ...MESSAGE]);
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

describe('the life of a slot', () => {
  it('never ends earlier than that of the call before, so that its answer refuses late copies', async () => {
    let now = (await serverMs()) + 5_000;
    const caller = new Caller(connections, 5_000, { now: () => now });
    const send = (): Promise<string> =>
      caller.freeze('send', (slot) => keys.slot(slot), [keys.meta, keys.queue(0)], MESSAGE);
    await send();
    const [slot] = await witness.keys(keys.slot('*'));
    const before = await witness.pexpiretime(slot!);
    now -= 5_000;
    await send();
    expect(await witness.pexpiretime(slot!)).toBe(before);
    expect(await witness.get(slot!)).toBe('2 OK');
  });
});
