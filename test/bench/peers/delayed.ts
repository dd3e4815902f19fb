// Delayed messages: what scheduling, firing and keeping them costs, here and in BullMQ.
import { Queue, Worker } from 'bullmq';
import { BODY, expectCount, finished, percentile, rate, type Bench, type Contender } from '../scenario.js';
import { connectionOf } from './bullmq.js';
import { fill, open, TOPIC } from './millrace.js';

const FAR_MS = 3_600_000;
const BATCH = 1_000;
const QUEUE = 'delayed';

/** Bytes of the server's memory that `work` leaves behind, for each of `count`. */
async function bytesEach(bench: Bench, count: number, work: () => Promise<unknown>): Promise<number> {
  const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await bench.redis.info('memory'))?.[1]);
  const before = await used();
  await work();
  return ((await used()) - before) / count;
}

export async function scheduling(bench: Bench, count: number, figure: 'rate' | 'bytes'): Promise<Contender> {
  const schedule = (): Promise<void> => fill(bench, count, { delay: FAR_MS });
  return {
    name: 'millrace',
    async run() {
      const started = performance.now();
      const bytes = await bytesEach(bench, count, schedule);
      const perSecond = rate(count, started);
      const mq = open(bench);
      expectCount('messages scheduled', (await mq.admin.stats(TOPIC)).scheduled, count);
      await mq.close();
      return figure === 'rate' ? perSecond : bytes;
    },
    close: async () => undefined,
  };
}

export async function bullmqScheduling(bench: Bench, count: number, figure: 'rate' | 'bytes'): Promise<Contender> {
  const queue = new Queue(QUEUE, { connection: connectionOf(bench.redisUrl) });
  return {
    name: 'bullmq delayed addBulk',
    async run() {
      const started = performance.now();
      const bytes = await bytesEach(bench, count, () => bulk(queue, count, () => FAR_MS));
      const perSecond = rate(count, started);
      expectCount('entries delayed', await queue.getDelayedCount(), count);
      return figure === 'rate' ? perSecond : bytes;
    },
    close: () => queue.close(),
  };
}

/** All due at one instant, half a second after the last was scheduled: the time from it until all are handled. */
export async function firing(bench: Bench, count: number, pending = 0): Promise<Contender> {
  let dueAt = 0;
  return {
    name: 'millrace',
    async prepare() {
      if (pending > 0) await fill(bench, pending, { delay: FAR_MS });
      dueAt = Date.now() + leadMs(count);
      await fill(bench, count, { deliverAt: new Date(dueAt) });
      if (Date.now() > dueAt) throw new Error('the messages were due before all of them were scheduled');
    },
    async run() {
      const mq = open(bench);
      let handled = 0;
      const { promise: all, finish } = finished();
      mq.listen({ topic: TOPIC, group: 'delayed', concurrency: 100 }, async () => {
        if (++handled === count) finish();
      });
      await mq.start();
      await all;
      const perSecond = (count / (Date.now() - dueAt)) * 1000;
      await mq.close();
      return perSecond;
    },
    close: async () => undefined,
  };
}

export async function bullmqFiring(bench: Bench, count: number): Promise<Contender> {
  const connection = connectionOf(bench.redisUrl);
  const queue = new Queue(QUEUE, { connection, defaultJobOptions: { removeOnComplete: true } });
  let dueAt = 0;
  return {
    name: 'bullmq delayed, worker',
    async prepare() {
      dueAt = Date.now() + 2 * leadMs(count);
      await bulk(queue, count, () => dueAt - Date.now());
      if (Date.now() > dueAt) throw new Error('the entries were due before all of them were scheduled');
    },
    async run() {
      let handled = 0;
      const { promise: all, finish } = finished();
      const worker = new Worker(QUEUE, async () => undefined, { connection, concurrency: 100 });
      worker.on('completed', () => {
        if (++handled === count) finish();
      });
      await all;
      const perSecond = (count / (Date.now() - dueAt)) * 1000;
      await worker.close();
      return perSecond;
    },
    close: () => queue.close(),
  };
}

/** How late handlers start when `perSecond` messages fall due each second: the 99th percentile, in ms. */
export async function lateness(bench: Bench, count: number, perSecond: number): Promise<Contender> {
  return {
    name: 'millrace',
    async run() {
      const mq = open(bench);
      const late: number[] = [];
      const { promise: all, finish } = finished();
      mq.listen<{ due: number }>({ topic: TOPIC, group: 'late', concurrency: 100 }, async ({ message }) => {
        late.push(Date.now() - message.body.due);
        if (late.length === count) finish();
      });
      await mq.start();
      const first = Date.now() + leadMs(count);
      for (let sent = 0; sent < count; sent += BATCH) {
        const batch = Array.from({ length: Math.min(BATCH, count - sent) }, (_, index) => {
          const due = Math.round(first + ((sent + index) * 1000) / perSecond);
          return { destination: TOPIC, body: { due }, options: { deliverAt: new Date(due) } };
        });
        await mq.producer.sendAll(batch);
      }
      await all;
      await mq.close();
      const early = late.filter((ms) => ms < 0).length;
      expectCount('messages delivered early', early, 0);
      return percentile(late, 0.99);
    },
    close: async () => undefined,
  };
}

const leadMs = (count: number): number => 500 + count / 20;

async function bulk(queue: Queue, count: number, delay: () => number): Promise<void> {
  for (let sent = 0; sent < count; sent += BATCH) {
    const size = Math.min(BATCH, count - sent);
    await queue.addBulk(Array.from({ length: size }, () => ({ name: 'm', data: BODY, opts: { delay: delay() } })));
  }
}
