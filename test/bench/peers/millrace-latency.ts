// Time from the call of send() to the start of the handler, in one process: one clock.
import { atRate, expectCount, finished, percentile, type Bench, type Contender } from '../scenario.js';
import { open, TOPIC } from './millrace.js';

/** @param shares of the percentiles that one run gives */
export async function latency(
  bench: Bench,
  count: number,
  perSecond: number,
  shares: readonly number[],
): Promise<Contender> {
  return {
    name: 'millrace',
    async run() {
      const mq = open(bench);
      const times: number[] = [];
      const { promise: all, finish } = finished();
      mq.listen<{ at: number }>({ topic: TOPIC, group: 'latency' }, async ({ message }) => {
        times.push(performance.now() - message.body.at);
        if (times.length === count) finish();
      });
      await mq.start();
      await atRate(count, perSecond, () => mq.producer.send(TOPIC, { at: performance.now() }));
      await all;
      await mq.close();
      expectCount('messages handled', times.length, count);
      return shares.map((share) => percentile(times, share));
    },
    close: async () => undefined,
  };
}
