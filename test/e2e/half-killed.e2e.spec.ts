// Issue 5, "Done when" 4: a producer killed between half and commit. A process that gets SIGKILL can be a child only: the
// program is test/support/half-producer.ts, compiled.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mq } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { Redis } from 'ioredis';
import { until } from '../support/until.js';

const PROGRAM = fileURLToPath(new URL('../../dist/test/support/half-producer.js', import.meta.url));
const LEAVE_WITH_PARENT = new URL('../../dist/test/demo/leave-with-parent.js', import.meta.url).href;
const connection = process.env.REDIS_URL!;

describe('a producer killed', () => {
  let namespace: string;
  let mq: Mq;
  let database: Redis;
  let children: ChildProcess[];
  /** Message ids, one for each delivery. */
  let delivered: string[];
  let asked: string[];

  beforeEach(() => {
    namespace = `half-${randomUUID()}`;
    mq = new Mq(connectRedis({ connection, namespace }));
    database = new Redis(connection);
    children = [];
    delivered = [];
    asked = [];
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await mq.close();
    await database.unlink(`${namespace}:paid`);
    await database.quit();
  });

  it.each([
    ['before-transaction', { paid: 0, delivered: 0, asked: 1 }],
    ['after-transaction', { paid: 1, delivered: 1, asked: 1 }],
    ['after-commit', { paid: 1, delivered: 1, asked: 0 }],
  ])(
    '%s: another process of the producer group decides as the database says',
    async (point, expected) => {
      await once(start(point), 'exit');
      await survive();
      const ids = await paid();
      expect({ paid: ids.length, delivered: delivered.length, asked: asked.length }).toEqual(expected);
      expect(delivered).toEqual(ids);
      // The key is free if, and only if, there was no order.
      const again = await mq.producer.send('orders', { n: 0 }, { idempotencyKey: 'order-0' });
      expect(again.duplicate).toBe(expected.paid === 1);
    },
    30_000,
  );

  it('in the middle of many transactions: what the database has is delivered once, and nothing else', async () => {
    const child = start('never');
    await until('it has paid for 200', async () => (await database.scard(`${namespace}:paid`)) >= 200, 20_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await survive();
    const ids = await paid();
    expect(ids.length).toBeGreaterThanOrEqual(200);
    expect(delivered.toSorted()).toEqual(ids.toSorted());
    const { accepted, rolledBack } = await mq.admin.stats('orders');
    expect({ accepted, parkedHalves: 0 }).toEqual({ accepted: ids.length + rolledBack, parkedHalves: 0 });
  }, 60_000);

  /** Another process of the producer group, which also consumes. It begins when the first one is gone. */
  async function survive(): Promise<void> {
    mq.transactionListener({ topic: 'orders', checkAfter: '1s', concurrency: 20 }, async ({ messageId }) => {
      asked.push(messageId);
      return (await database.sismember(`${namespace}:paid`, messageId)) === 1 ? 'commit' : 'rollback';
    });
    mq.listen({ topic: 'orders', group: 'shipping', concurrency: 50 }, async ({ messageId }) => {
      delivered.push(messageId);
    });
    await mq.start();
    await until(
      'everything is decided and delivered',
      async () => {
        const { half, groups } = await mq.admin.stats('orders');
        return half === 0 && groups.every(({ ready, leased }) => ready + leased === 0);
      },
      20_000,
    );
  }

  const paid = () => database.smembers(`${namespace}:paid`);

  function start(point: string): ChildProcess {
    const child = spawn(process.execPath, ['--import', LEAVE_WITH_PARENT, PROGRAM, namespace, point], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    children.push(child);
    return child;
  }
});
