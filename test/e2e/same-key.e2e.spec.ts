// O1: send once by business key. The program is test/support/same-key-sender.ts, compiled.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mq, type SendReceipt } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { startTcpProxy, type TcpProxy } from '@millrace/testing';

const PROGRAM = fileURLToPath(new URL('../../dist/test/support/same-key-sender.js', import.meta.url));
const LEAVE_WITH_PARENT = new URL('../../dist/test/demo/leave-with-parent.js', import.meta.url).href;
const [TOPIC, SHARDS] = ['orders', 3];
const [PROCESSES, EACH] = [4, 250];

interface Told {
  readonly is: 'ready' | 'sent';
  readonly receipts?: SendReceipt[];
  readonly errors?: string[];
}

describe('1,000 sends of one key at once, from four processes to three shards', () => {
  let namespace: string;
  let proxy: TcpProxy;
  let children: ChildProcess[];
  let mq: Mq;

  beforeEach(async () => {
    const { hostname, port } = new URL(process.env.REDIS_URL!);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    namespace = `same-key-${randomUUID()}`;
    children = [];
    const topics = [{ topic: TOPIC, shards: SHARDS, queues: 2 * SHARDS }];
    mq = new Mq(connectRedis({ connection: process.env.REDIS_URL!, namespace }), { topics });
  });

  afterEach(async () => {
    await Promise.all(children.map(end));
    await mq.close();
    await proxy.close();
  });

  it.each([
    ['of an immediate message', '', 'accepted'],
    ['of a delayed message', '1h', 'scheduled'],
  ] as const)('%s store one, and 999 get the receipt of the first', async (_, delay, state) => {
    const receipts = await sendFrom(process.env.REDIS_URL!, delay);
    expect(receipts).toHaveLength(PROCESSES * EACH);
    await expectOneMessage(receipts, state);
  });

  it('store one while replies are lost, and the other answers do not change', async () => {
    let dropped = (): number => 0;
    const receipts = await sendFrom(`redis://127.0.0.1:${proxy.port}`, '', () => {
      // Only sends name this record.
      const loss = proxy.dropNextReplyTo('k:order 7', { count: 8 });
      dropped = () => loss.dropped;
    });
    expect(dropped()).toBe(8);
    await expectOneMessage(receipts, 'accepted');
  });

  async function expectOneMessage(receipts: readonly SendReceipt[], state: SendReceipt['state']): Promise<void> {
    expect(receipts).toHaveLength(PROCESSES * EACH);
    expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    const distinct = new Set(receipts.map(({ messageId, queue, dueAt }) => JSON.stringify([messageId, queue, dueAt])));
    expect(distinct.size).toBe(1);
    expect(receipts[0]).toMatchObject({ topic: TOPIC, state });
    expect(await mq.admin.stats(TOPIC)).toMatchObject({ accepted: 1, scheduled: state === 'scheduled' ? 1 : 0 });
  }

  /** All connected first, then all at once. */
  async function sendFrom(
    connection: string,
    delay: string,
    beforeSends = (): void => undefined,
  ): Promise<SendReceipt[]> {
    const args = [connection, namespace, TOPIC, String(SHARDS), String(EACH), delay];
    children = Array.from({ length: PROCESSES }, () =>
      spawn(process.execPath, ['--enable-source-maps', '--import', LEAVE_WITH_PARENT, PROGRAM, ...args], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      }),
    );
    await Promise.all(children.map((child) => next(child)));
    beforeSends();
    const answers = children.map((child) => next(child));
    for (const child of children) child.send('go');
    const told = await Promise.all(answers);
    expect(told.flatMap(({ errors = [] }) => errors)).toEqual([]);
    return told.flatMap(({ receipts = [] }) => receipts);
  }
});

async function next(child: ChildProcess): Promise<Told> {
  const [told] = (await once(child, 'message', { signal: AbortSignal.timeout(15_000) })) as [Told];
  return told;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
