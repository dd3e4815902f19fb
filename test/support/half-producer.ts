// A producer of transactional messages in a process of its own that is killed, for half-killed.e2e.spec.ts:
//
//   node half-producer.js <namespace> <kill point>          REDIS_URL in the environment
//
// Its "database" is a set of message ids: `<namespace>:paid`. It kills itself at its kill point, 'before-transaction',
// 'after-transaction' or 'after-commit'; with 'never' it sends one transaction after the other, ten at a time, until it is killed.
import { Mq } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { Redis } from 'ioredis';

const [namespace, killPoint] = process.argv.slice(2);
const connection = process.env.REDIS_URL!;
const database = new Redis(connection);
const ports = connectRedis({ connection, namespace });
const mq = new Mq(ports);
// It is never asked: its half messages are younger than an hour.
mq.transactionListener({ topic: 'orders', checkAfter: '1h' }, async () => 'unknown');

function dieAt(point: string): void {
  if (point === killPoint) process.kill(process.pid, 'SIGKILL');
}

async function send(n: number): Promise<void> {
  const options = { idempotencyKey: `order-${n}`, checkAfter: '1s' };
  await mq.producer.sendInTransaction(
    'orders',
    { n },
    async ({ messageId }) => {
      dieAt('before-transaction');
      await database.sadd(`${namespace}:paid`, messageId);
      dieAt('after-transaction');
      return 'commit';
    },
    options,
  );
  dieAt('after-commit');
}

let sent = 0;
async function sendOn(): Promise<never> {
  for (;;) await send(sent++);
}
await Promise.all(Array.from({ length: killPoint === 'never' ? 10 : 1 }, sendOn));
