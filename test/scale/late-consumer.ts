// A process that only consumes, as a user's service does: it notes when each handler starts. Told what to do by its one argument.
import { Mq } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import type { HandlerStart, LateConsumerConfig } from './late-consumer-process.js';

const { connection, namespace, topic, count } = JSON.parse(process.argv[2]!) as LateConsumerConfig;
// The parent is gone: nobody asks any more.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const mq = new Mq(connectRedis({ connection, namespace }));
const starts: HandlerStart[] = [];
mq.listen<{ n: number }>({ topic, group: 'late', concurrency: 100, startFrom: 'last' }, async ({ message }) => {
  starts.push([message.body.n, Date.now()]);
  if (starts.length === count) process.send!(starts);
});
await mq.start();
process.once('message', () => void mq.close().then(() => process.exit(0)));
process.send!('ready');
