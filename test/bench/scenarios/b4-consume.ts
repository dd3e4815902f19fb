import { bullmqConsuming } from '../peers/bullmq.js';
import { consuming } from '../peers/millrace.js';
import { natsConsuming } from '../peers/nats.js';
import { rabbitMqConsuming } from '../peers/rabbitmq.js';
import { rawConsuming } from '../peers/raw-ioredis.js';
import { redisSmqConsuming } from '../peers/redis-smq.js';
import type { Bench, Scenario } from '../scenario.js';

const CONCURRENCY = 100;
/** Of one message at a time, each with connections of its own: more of them are no faster. */
const REDIS_SMQ_CONSUMERS = 10;
const count = ({ scale }: Bench): number => 1_000 * Math.max(Math.round(200 * scale), 1);
/** They work off a part in about the same time; their rates do not depend on the backlog. */
const fewer = (bench: Bench): number => 1_000 * Math.max(Math.round(20 * bench.scale), 1);

export const consume: Scenario = {
  id: 'B4',
  title: 'listener, no-op async handler, concurrency 100, backlog 200 k',
  unit: 'msg/s',
  bars: { 'ioredis read + ack': 0.6, 'bullmq worker': 5 },
  ours: (bench) => consuming(bench, count(bench), CONCURRENCY),
  theirs: [
    (bench) => rawConsuming(bench, count(bench)),
    (bench) => bullmqConsuming(bench, fewer(bench), CONCURRENCY),
    (bench) => redisSmqConsuming(bench, fewer(bench), REDIS_SMQ_CONSUMERS),
    (bench) => natsConsuming(bench, 2 * fewer(bench)),
    (bench) => rabbitMqConsuming(bench, 2 * fewer(bench)),
  ],
};
