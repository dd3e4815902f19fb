import { sending, TOPIC } from '../peers/millrace.js';
import { natsSending } from '../peers/nats.js';
import { rabbitMqSending } from '../peers/rabbitmq.js';
import { addArguments, rawSending } from '../peers/raw-ioredis.js';
import { BODY, concurrently, type Bench, type Contender, type Scenario } from '../scenario.js';

const SENDERS = 256;
const count = ({ scale }: Bench): number => SENDERS * Math.max(Math.round(150 * scale), 4);

/** @param likewise the peer that gives as much durability by default */
function under(appendfsync: 'everysec' | 'always', likewise: (bench: Bench) => Promise<Contender>): Scenario {
  return {
    id: `B11.${appendfsync}`,
    title: `send() by ${SENDERS} senders, appendfsync ${appendfsync}`,
    unit: 'msg/s',
    server: { appendonly: 'yes', appendfsync },
    bars: { 'ioredis concurrent xadd': 0.9 },
    ours: (bench) =>
      sending(bench, count(bench), ({ producer }, many) =>
        concurrently(many, SENDERS, () => producer.send(TOPIC, BODY)),
      ),
    theirs: [
      (bench) =>
        rawSending(bench, 'ioredis concurrent xadd', count(bench), (redis, many) =>
          concurrently(many, SENDERS, (index) => redis.xadd(...addArguments(index))),
        ),
      likewise,
    ],
  };
}

export const everySecond = under('everysec', (bench) => natsSending(bench, count(bench), { inFlight: SENDERS }));
export const always = under('always', (bench) => rabbitMqSending(bench, count(bench), { inFlight: SENDERS }));
