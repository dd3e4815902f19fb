// DoD 7. A process that gets SIGKILL can be a child only: test/support/redriving-process.ts, compiled.
// MILLRACE_REDRIVE_RATE=50 runs it at the rate of the definition of done (20 s) and holds it to 10 % in both directions.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { deadLetter, Mq } from '@millrace/core';
import { Operations } from '@millrace/operations';
import { connectRedis } from '@millrace/redis';
import { Redis } from 'ioredis';
import { until } from '../support/until.js';

const PROGRAM = fileURLToPath(new URL('../../dist/test/support/redriving-process.js', import.meta.url));
const LEAVE_WITH_PARENT = new URL('../../dist/test/demo/leave-with-parent.js', import.meta.url).href;
const LETTERS = 1000;
const ASKED = Number(process.env.MILLRACE_REDRIVE_RATE ?? 200);
/** A busy machine makes it slower, nothing makes it faster. */
const SLOWEST = process.env.MILLRACE_REDRIVE_RATE === undefined ? 0.75 : 0.9;

const connection = process.env.REDIS_URL!;

describe('a redrive whose process is killed half-way', () => {
  let namespace: string;
  let mq: Mq;
  let operations: Operations;
  let redis: Redis;
  let children: ChildProcess[];

  beforeEach(() => {
    namespace = `redrive-${randomUUID()}`;
    mq = new Mq(connectRedis({ connection, namespace }));
    operations = new Operations({ connection, namespace, run: false }, { admin: mq.admin });
    redis = new Redis(connection);
    children = [];
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await operations.close();
    await mq.close();
    await redis.quit();
  });

  it('goes on in another one: each letter redriven once, to that group only, at the rate that was asked for', async () => {
    const ids = await bury();
    const killed = start();
    const handle = await operations.redrive('sales', 'till', { rate: { max: ASKED, per: '1s' } });
    await until('half of them are redriven', async () => (await handle.progress()).done >= LETTERS / 2, 60_000);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const half = await entries();
    expect(half.length).toBeGreaterThanOrEqual(LETTERS / 2);
    expect(half.length).toBeLessThan(LETTERS);

    start();
    const record = await handle.done;
    expect(record).toMatchObject({ state: 'done', total: LETTERS, done: LETTERS, quarantined: 0, gone: 0 });
    const redriven = await entries();
    expect(redriven.map(({ messageId }) => messageId).toSorted()).toEqual(ids.toSorted());
    expect(redriven.filter(({ generation }) => generation !== 1)).toEqual([]);
    expect(await mq.admin.stats('sales')).toMatchObject({
      groups: expect.arrayContaining([
        expect.objectContaining({ group: 'audit', ready: 0, leased: 0, retrying: 0, done: LETTERS }),
        expect.objectContaining({ group: 'till', ready: LETTERS, dead: 0 }),
      ]),
    });

    const rate = measured(redriven, half.length);
    process.stdout.write(`\nredriven at ${rate.toFixed(1)}/s, asked for ${ASKED}/s; killed after ${half.length}\n`);
    expect(rate).toBeLessThanOrEqual(ASKED * 1.1);
    expect(rate).toBeGreaterThanOrEqual(ASKED * SLOWEST);
  }, 90_000);

  /** Everything dies in one group and is done in the other. */
  async function bury(): Promise<string[]> {
    mq.listen({ topic: 'sales', group: 'till', concurrency: 100 }, async () => deadLetter('out of paper'));
    mq.listen({ topic: 'sales', group: 'audit', concurrency: 100 }, async () => undefined);
    const results = await mq.producer.sendAll(
      Array.from({ length: LETTERS }, (_, n) => ({ destination: 'sales', body: { n } })),
    );
    await mq.start();
    await until(
      'all are dead',
      async () => {
        const { groups } = await mq.admin.stats('sales');
        return groups.every(({ dead, done }) => dead + done === LETTERS);
      },
      60_000,
    );
    await mq.stopConsuming();
    return results.map((result) => (result.ok ? result.receipt.messageId : ''));
  }

  function start(): ChildProcess {
    const child = spawn(process.execPath, ['--import', LEAVE_WITH_PARENT, PROGRAM, namespace], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    children.push(child);
    return child;
  }

  /** What was redriven, as it lies on the group's own retry stream. */
  async function entries(): Promise<{ at: number; messageId: string; generation: number }[]> {
    const rows = await redis.xrange(`{${namespace}:sales:0}:g:till:rs:0`, '-', '+');
    return rows.map(([id, [header, , , state]]) => ({
      at: Number(id.split('-')[0]),
      messageId: header!.split('\n')[0]!,
      generation: (JSON.parse(state!) as { generation: number }).generation,
    }));
  }

  /** Letters a second over both processes, the time between them left out. */
  function measured(redriven: readonly { at: number }[], half: number): number {
    const runs = [redriven.slice(0, half), redriven.slice(half)];
    const spans = runs.map((run) => run.at(-1)!.at - run[0]!.at);
    const batch = Math.max(1, Math.floor(ASKED / 10));
    // The last batch of a run takes no time any more.
    return ((redriven.length - 2 * batch) / (spans[0]! + spans[1]!)) * 1000;
  }
});
