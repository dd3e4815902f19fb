// A consumer in a process of its own that tells its parent of every start of a handler, for group-rate-limit.e2e.spec.ts:
//
//   node limited-consumer.js <namespace> <topic> <max per second>          REDIS_URL in the environment
//
// It lives until its parent is gone or tells it to stop.
import { Mq } from '@millrace/core';
import { connectRedis } from '@millrace/redis';

const [namespace, topic, max] = process.argv.slice(2);
const mq = new Mq(connectRedis({ connection: process.env.REDIS_URL!, namespace }));
mq.listen({ topic: topic!, group: 'limited', rateLimit: { max: Number(max), per: '1s' }, lease: '3s' }, async () => {
  process.send!({ startedAt: Date.now() });
});
await mq.start();
process.send!({ ready: true });
process.once('SIGTERM', () => void mq.close().then(() => process.disconnect()));
