// A producer in a process of its own that sends one key many times at once, for same-key.e2e.spec.ts:
//
//   node same-key-sender.js <connection> <namespace> <topic> <shards> <count> <delay>
//
// It connects, says that it is ready, sends when its parent sends it anything, and reports receipts and errors.
import { Mq } from '@millrace/core';
import { connectRedis } from '@millrace/redis';

const [connection, namespace, topic, shards, count, delay] = process.argv.slice(2);
const topics = [{ topic: topic!, shards: Number(shards), queues: 2 * Number(shards) }];
const mq = new Mq(connectRedis({ connection: connection!, namespace }), { topics });
const idempotencyKey = 'order 7';
const options = delay === '' ? { idempotencyKey } : { idempotencyKey, delay };

process.once('message', () => void sendAll());
// Connects, and knows the topic.
await mq.producer.cancel(topic!, { idempotencyKey: 'nothing' });
process.send!({ is: 'ready' });

async function sendAll(): Promise<void> {
  const sends = Array.from({ length: Number(count) }, () => mq.producer.send(topic!, { order: 7 }, options));
  const results = await Promise.allSettled(sends);
  const receipts = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
  process.send!({ is: 'sent', receipts, errors });
  await mq.close();
  process.disconnect();
}
