// Millrace in both directions in one run, with bodies of one size.
import type { Handler } from '@millrace/core';
import { atPace, expectCount, finished, rate, type Bench, type Contender, type Pace } from '../scenario.js';
import { open, TOPIC } from './millrace.js';

const GROUP = 'bench';

export async function bothWays(bench: Bench, body: string | Buffer, count: number, pace: Pace): Promise<Contender> {
  return {
    name: 'millrace',
    async run() {
      const producer = open(bench);
      await producer.start();
      const startedSending = performance.now();
      await atPace(count, pace, () => producer.producer.send(TOPIC, body));
      const sent = rate(count, startedSending);
      await producer.close();
      return [sent, await handleAll(bench, body, count)];
    },
    close: async () => undefined,
  };
}

/** @returns messages per second, until every ack is stored */
async function handleAll(bench: Bench, body: string | Buffer, count: number): Promise<number> {
  const mq = open(bench);
  let handled = 0;
  const { promise: all, finish } = finished();
  const failure = mq.events.next('retry').then(({ failure: { text } }) => Promise.reject(new Error(text)));
  const handler: Handler<string | Buffer> = async ({ message }) => {
    expectCount('bytes of a message', message.body.length, body.length);
    if (++handled === count) finish();
  };
  mq.listen({ topic: TOPIC, group: GROUP, concurrency: 100 }, handler);
  const started = performance.now();
  await mq.start();
  await Promise.race([all, failure]);
  await mq.stopConsuming();
  const perSecond = rate(count, started);
  const [group] = (await mq.admin.stats(TOPIC)).groups;
  await mq.close();
  expectCount('messages acknowledged', group!.done, count);
  expectCount('messages handled', handled, count);
  return perSecond;
}
