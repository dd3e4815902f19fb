import { bullmqSending } from '../peers/bullmq.js';
import { sending, TOPIC } from '../peers/millrace.js';
import { natsSending } from '../peers/nats.js';
import { rabbitMqSending } from '../peers/rabbitmq.js';
import { addArguments, rawSending } from '../peers/raw-ioredis.js';
import { redisBenchmark } from '../peers/redis-benchmark.js';
import { redisSmqSending } from '../peers/redis-smq.js';
import { BODY, concurrently, type Bench, type Scenario } from '../scenario.js';

const IN_FLIGHT = 1_000;
const count = ({ scale }: Bench): number => IN_FLIGHT * Math.max(Math.round(100 * scale), 1);
/** Slower ones reach their rate with less, too. */
const fewer = ({ scale }: Bench): number => IN_FLIGHT * Math.max(Math.round(30 * scale), 1);

export const sendConcurrently: Scenario = {
  id: 'B2',
  title: 'send() with 1000 in flight',
  unit: 'msg/s',
  bars: { 'ioredis concurrent xadd': 1.5, 'bullmq addBulk': 4.5 },
  ours: (bench) =>
    sending(bench, count(bench), ({ producer }, many) =>
      concurrently(many, IN_FLIGHT, () => producer.send(TOPIC, BODY)),
    ),
  theirs: [
    (bench) =>
      rawSending(bench, 'ioredis concurrent xadd', count(bench), (redis, many) =>
        concurrently(many, IN_FLIGHT, (index) => redis.xadd(...addArguments(index))),
      ),
    (bench) =>
      bullmqSending(bench, 'bullmq addBulk', count(bench), async (queue, many) => {
        for (let sent = 0; sent < many; sent += IN_FLIGHT)
          await queue.addBulk(Array.from({ length: IN_FLIGHT }, () => ({ name: 'm', data: BODY })));
      }),
    (bench) => redisSmqSending(bench, fewer(bench), { inFlight: IN_FLIGHT }),
    (bench) => natsSending(bench, fewer(bench), { inFlight: IN_FLIGHT }),
    (bench) => rabbitMqSending(bench, fewer(bench), { inFlight: IN_FLIGHT }),
    (bench) => redisBenchmark(bench, 5 * count(bench)),
  ],
};
