// A million messages with idempotency keys that are all due at one instant: they are promoted at once, and their records
// end at one instant too.
import { topicSpec } from '@millrace/core';
import type { Claim } from '../claim.js';
import { fill } from '../fill.js';
import { NAMESPACE, until, type Ground } from '../ground.js';
import { instantAfter, passes } from '../instant.js';
import { kept } from '../kept.js';
import { stallDuring } from './stall.js';

const [TOPIC, TRIAL] = ['keyed', 'trial'] as const;
const WINDOW_MS = 20_000;
const FAR_MS = 3_600_000;
const PROCESSES = 2;
const PATIENCE_MS = 240_000;

export async function keyed(ground: Ground): Promise<Claim[]> {
  const { many } = ground;
  const { broker, admin } = ground.connect();
  for (const topic of [TOPIC, TRIAL]) await broker.declareTopic(topicSpec({ topic, idempotencyWindow: WINDOW_MS }));
  const far = new Date(Date.now() + FAR_MS);
  const trialOptions = (n: number) => ({ idempotencyKey: `order-${n}`, deliverAt: far });
  const dueAt = await instantAfter({ broker, count: many }, TRIAL, trialOptions);
  const usedBefore = await ground.usedBytes();
  const optionsOf = (n: number) => ({ idempotencyKey: `order-${n}`, deliverAt: new Date(dueAt) });
  await fill({ broker, topic: TOPIC, count: many, optionsOf });
  const { scheduled } = await admin.stats(TOPIC);
  if (scheduled !== many) throw new Error(`${many - scheduled} messages were due before all of them were scheduled`);
  const { keys, records } = await kept(ground.redis, `{${NAMESPACE}:${TOPIC}:*:id:*`);
  const bytes = ((await ground.usedBytes()) - usedBefore) / many;
  if (records < many) throw new Error(`${records} records of ${many} keys`);
  ground.say(`${many} messages with keys wait for one instant`);

  await passes(dueAt);
  const promoted = await stallDuring(
    ground,
    `promotion of ${many.toLocaleString('en-US')} messages that are due at one instant`,
    async () => {
      await Promise.all(Array.from({ length: PROCESSES }, () => promoteAll(ground)));
    },
  );
  const { scheduled: left, accepted } = await admin.stats(TOPIC);
  const others = (await ground.redis.dbsize()) - keys;
  const ended = await stallDuring(
    ground,
    `the end of ${many.toLocaleString('en-US')} records of idempotency keys whose messages were due at one instant`,
    async () => {
      await until('the records are gone', PATIENCE_MS, async () => (await ground.redis.dbsize()) <= others);
    },
    () => ({ records, keys, 'B each, message and record': bytes, 'window ms': WINDOW_MS }),
  );
  return [
    promoted,
    {
      what: 'messages due at one instant that were not promoted',
      measured: left + many - accepted,
      limit: 0,
      unit: '',
    },
    ended,
  ];
}

/** As the promoter of a process does while more is due than a call takes. */
async function promoteAll(ground: Ground): Promise<void> {
  const { broker } = ground.connect();
  await broker.declareTopic(topicSpec({ topic: TOPIC }));
  while ((await broker.promote(TOPIC, 0, { max: 100 })).promoted > 0);
}
