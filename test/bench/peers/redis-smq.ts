// redis-smq on the same Redis: a FIFO queue, point to point, no list of acknowledged messages (its defaults).
import {
  Configuration,
  Consumer,
  EQueueDeliveryModel,
  EQueueType,
  Producer,
  ProducibleMessage,
  Queue,
} from 'redis-smq';
import { ERedisConfigClient, type ICallback } from 'redis-smq-common';
import {
  atPace,
  BODY,
  expectCount,
  expectSoon,
  finished,
  rate,
  type Bench,
  type Contender,
  type Pace,
} from '../scenario.js';
import { connectionOf } from './bullmq.js';

const QUEUE = 'bench';
const NAME = 'redis-smq';

export async function redisSmqSending(bench: Bench, count: number, pace: Pace): Promise<Contender> {
  const { create, size, produce, close } = await open(bench);
  return {
    name: NAME,
    prepare: create,
    async run() {
      const started = performance.now();
      await atPace(count, pace, produce);
      const perSecond = rate(count, started);
      expectCount('messages stored', await size(), count);
      return perSecond;
    },
    close,
  };
}

/** Each consumer handles one message at a time, so there are several. Timed from the first message to the last. */
export async function redisSmqConsuming(bench: Bench, count: number, consumers: number): Promise<Contender> {
  const { create, produce, close } = await open(bench);
  return {
    name: NAME,
    settings: `${consumers} consumers of one message at a time`,
    async prepare() {
      await create();
      await atPace(count, { inFlight: 1000 }, produce);
    },
    async run() {
      let [handled, started, ended] = [0, 0, 0];
      const { promise: all, finish } = finished();
      const handler = (_message: unknown, done: ICallback): void => {
        started ||= performance.now();
        done();
        if (++handled < count) return;
        ended = performance.now();
        finish();
      };
      const running = Array.from({ length: consumers }, () => new Consumer());
      for (const consumer of running) await promised((done: ICallback) => consumer.consume(QUEUE, handler, done));
      await Promise.all(running.map((consumer) => promised((done: ICallback<boolean>) => consumer.run(done))));
      await all;
      await expectSoon('messages waiting or in process', 0, () => listed(bench));
      await Promise.all(running.map((consumer) => promised((done: ICallback) => consumer.shutdown(done))));
      expectCount('messages handled', handled, count);
      return rate(count, started, ended);
    },
    close,
  };
}

async function open(bench: Bench) {
  const redis = { client: ERedisConfigClient.IOREDIS, options: connectionOf(bench.redisUrl) };
  // Kept for the whole process by the first call.
  Configuration.getSetConfig({ redis, logger: { enabled: false } });
  const [queue, producer] = [new Queue(), new Producer()];
  await promised((done: ICallback<boolean>) => producer.run(done));
  return {
    create: async () => {
      await promised((done: Parameters<Queue['save']>[3]) =>
        queue.save(QUEUE, EQueueType.FIFO_QUEUE, EQueueDeliveryModel.POINT_TO_POINT, done),
      );
    },
    size: async () => {
      const properties = await promised((done: Parameters<Queue['getProperties']>[1]) =>
        queue.getProperties(QUEUE, done),
      );
      return properties!.messagesCount;
    },
    produce: () =>
      promised((done: ICallback<string[]>) =>
        producer.produce(new ProducibleMessage().setQueue(QUEUE).setBody(BODY), done),
      ),
    close: async () => {
      await promised((done: ICallback) => producer.shutdown(done));
      await promised((done: ICallback) => queue.shutdown(done));
    },
  };
}

/** Entries in all lists of the queue: waiting, in process, to be repeated. */
async function listed({ redis }: Bench): Promise<number> {
  const keys = await redis.keys(`redis-smq-*:${QUEUE}*`);
  const types = await Promise.all(keys.map((key) => redis.type(key)));
  const lists = keys.filter((_, index) => types[index] === 'list');
  const lengths = await Promise.all(lists.map((key) => redis.llen(key)));
  return lengths.reduce((sum, length) => sum + length, 0);
}

function promised<T>(work: (done: ICallback<T>) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    work((error?: Error | null, result?: T) => (error ? reject(error) : resolve(result)));
  });
}
