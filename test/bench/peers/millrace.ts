// Millrace as an application uses it, without Nest around it.
import { Mq, type Handler } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import { BODY, expectCount, finished, rate, type Bench, type Contender } from '../scenario.js';

export const TOPIC = 'bench';
const GROUP = 'bench';

/** A sending contender: `work` sends `count` messages through the producer. */
export async function sending(
  bench: Bench,
  count: number,
  work: (mq: Mq, count: number) => Promise<void>,
): Promise<Contender> {
  const mq = new Mq(connectRedis({ connection: bench.redisUrl, namespace: 'bench' }));
  await mq.start();
  return {
    name: 'millrace',
    prepare: () => mq.producer.send(TOPIC, BODY).then(() => undefined),
    async run() {
      const started = performance.now();
      await work(mq, count);
      const perSecond = rate(count, started);
      // One message was sent by `prepare`.
      expectCount('messages stored', (await mq.admin.stats(TOPIC)).accepted, count + 1);
      return perSecond;
    },
    close: () => mq.close(),
  };
}

/** A consuming contender: a backlog of `count`, one listener. Timed from the start until every ack is stored. */
export async function consuming(bench: Bench, count: number, concurrency: number): Promise<Contender> {
  const open = (): Mq => new Mq(connectRedis({ connection: bench.redisUrl, namespace: 'bench' }));
  return {
    name: 'millrace',
    async prepare() {
      const mq = open();
      await mq.start();
      for (let sent = 0; sent < count; sent += 1000) {
        const batch = Array.from({ length: 1000 }, () => ({ destination: TOPIC, body: BODY }));
        await mq.producer.sendAll(batch);
      }
      await mq.close();
    },
    async run() {
      const mq = open();
      let handled = 0;
      const { promise: all, finish } = finished();
      const handler: Handler = async () => {
        if (++handled === count) finish();
      };
      mq.listen({ topic: TOPIC, group: GROUP, concurrency }, handler);
      const started = performance.now();
      await mq.start();
      await all;
      await mq.stopConsuming();
      const perSecond = rate(count, started);
      const [group] = (await mq.admin.stats(TOPIC)).groups;
      await mq.close();
      expectCount('messages acknowledged', group!.done, count);
      expectCount('messages handled', handled, count);
      return perSecond;
    },
    close: async () => undefined,
  };
}
