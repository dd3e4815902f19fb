import { sending, TOPIC } from '../peers/millrace.js';
import { natsSending } from '../peers/nats.js';
import { rabbitMqSending } from '../peers/rabbitmq.js';
import { addArguments, rawSending } from '../peers/raw-ioredis.js';
import { redisBenchmark } from '../peers/redis-benchmark.js';
import { redisSmqSending } from '../peers/redis-smq.js';
import { BODY, type Bench, type Scenario } from '../scenario.js';

const BATCH = 500;
const count = ({ scale }: Bench): number => BATCH * Math.max(Math.round(200 * scale), 1);
/** Slower ones reach their rate with less, too. None of them has a call for a batch: its sends are awaited together. */
const fewer = ({ scale }: Bench): number => BATCH * Math.max(Math.round(60 * scale), 1);

export const sendAll: Scenario = {
  id: 'B3',
  title: 'sendAll() in batches of 500',
  unit: 'msg/s',
  bars: { 'ioredis pipeline': 1 },
  ours: (bench) =>
    sending(bench, count(bench), async ({ producer }, many) => {
      for (let sent = 0; sent < many; sent += BATCH)
        await producer.sendAll(Array.from({ length: BATCH }, () => ({ destination: TOPIC, body: BODY })));
    }),
  theirs: [
    (bench) =>
      rawSending(bench, 'ioredis pipeline', count(bench), async (redis, many) => {
        for (let sent = 0; sent < many; sent += BATCH) {
          const pipeline = redis.pipeline();
          for (let id = sent; id < sent + BATCH; id++) pipeline.xadd(...addArguments(id));
          await pipeline.exec();
        }
      }),
    (bench) => redisSmqSending(bench, fewer(bench), { batch: BATCH }),
    (bench) => natsSending(bench, fewer(bench), { batch: BATCH }),
    (bench) => rabbitMqSending(bench, fewer(bench), { batch: BATCH }),
    (bench) => redisBenchmark(bench, 5 * count(bench)),
  ],
};
