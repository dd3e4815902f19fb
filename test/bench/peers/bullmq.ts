// BullMQ as its documentation uses it, with finished entries removed, as its production page advises.
import { Queue, Worker } from 'bullmq';
import { BODY, expectCount, finished, rate, type Bench, type Contender } from '../scenario.js';

const NAME = 'bench';
const KEEP_NOTHING = { removeOnComplete: true, removeOnFail: true };

export function connectionOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

export async function bullmqSending(
  bench: Bench,
  name: string,
  count: number,
  work: (queue: Queue, count: number) => Promise<void>,
): Promise<Contender> {
  const queue = new Queue(NAME, { connection: connectionOf(bench.redisUrl), defaultJobOptions: KEEP_NOTHING });
  await queue.waitUntilReady();
  return {
    name,
    async run() {
      const started = performance.now();
      await work(queue, count);
      const perSecond = rate(count, started);
      expectCount('entries waiting', await queue.getWaitingCount(), count);
      return perSecond;
    },
    close: () => queue.close(),
  };
}

export async function bullmqConsuming(
  bench: Bench,
  count: number,
  concurrency: number,
  { name = 'bullmq worker', handle = async (_body: unknown): Promise<unknown> => undefined } = {},
): Promise<Contender> {
  const connection = connectionOf(bench.redisUrl);
  const queue = new Queue(NAME, { connection, defaultJobOptions: KEEP_NOTHING });
  return {
    name,
    async prepare() {
      for (let sent = 0; sent < count; sent += 1000)
        await queue.addBulk(Array.from({ length: 1000 }, () => ({ name: 'm', data: BODY })));
    },
    async run() {
      let handled = 0;
      const { promise: all, finish } = finished();
      const worker = new Worker(NAME, async ({ data }) => void (await handle(data)), {
        connection,
        concurrency,
        autorun: false,
      });
      worker.on('completed', () => {
        if (++handled === count) finish();
      });
      await worker.waitUntilReady();
      const started = performance.now();
      void worker.run();
      await all;
      const perSecond = rate(count, started);
      await worker.close();
      return perSecond;
    },
    close: () => queue.close(),
  };
}
