import { bullmqSending } from '../peers/bullmq.js';
import { sending, TOPIC } from '../peers/millrace.js';
import { natsSending } from '../peers/nats.js';
import { rabbitMqSending } from '../peers/rabbitmq.js';
import { addArguments, rawSending } from '../peers/raw-ioredis.js';
import { redisSmqSending } from '../peers/redis-smq.js';
import { BODY, type Bench, type Scenario } from '../scenario.js';

const ONE = { inFlight: 1 };
const count = ({ scale }: Bench): number => Math.round(10_000 * scale);
/** Those that write to disk before they answer take much longer for each. */
const fewer = ({ scale }: Bench): number => Math.round(500 * scale);

export const sendOneAtATime: Scenario = {
  id: 'B1',
  title: 'send() one at a time',
  unit: 'msg/s',
  bars: { 'ioredis xadd': 0.75, 'bullmq add': 1.5 },
  ours: (bench) =>
    sending(bench, count(bench), async ({ producer }, many) => {
      for (let sent = 0; sent < many; sent++) await producer.send(TOPIC, BODY);
    }),
  theirs: [
    (bench) =>
      rawSending(bench, 'ioredis xadd', count(bench), async (redis, many) => {
        for (let sent = 0; sent < many; sent++) await redis.xadd(...addArguments(sent));
      }),
    (bench) =>
      bullmqSending(bench, 'bullmq add', count(bench), async (queue, many) => {
        for (let sent = 0; sent < many; sent++) await queue.add('m', BODY);
      }),
    (bench) => redisSmqSending(bench, count(bench) / 2, ONE),
    (bench) => natsSending(bench, count(bench) / 2, ONE),
    (bench) => rabbitMqSending(bench, fewer(bench), ONE),
  ],
};
