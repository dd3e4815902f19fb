// A million messages that wait: what one takes in memory, what promoting costs, how late handlers start beside them; then all
// are cancelled, each by a call of its own, and the answers that are kept for these calls end.
import { topicSpec } from '@millrace/core';
import type { Claim } from '../claim.js';
import { BODY_BYTES, fill } from '../fill.js';
import { NAMESPACE, until, type Ground } from '../ground.js';
import { instantAfter, passes } from '../instant.js';
import { kept } from '../kept.js';
import { lateness } from './lateness.js';
import { neededBy, promoteCost } from './promote-cost.js';
import { stallDuring } from './stall.js';

const [LARGE, SMALL, TRIAL] = ['large', 'small', 'trial'] as const;
const FAR_MS = 3_600_000;
const MOST_BYTES = 300;
/** Calls under way at once of one connection; each has an answer kept for it. */
const CALLS_AT_ONCE = 20_000;
const ANSWERS_LIVE_MS = 80_000;

export async function pending(ground: Ground): Promise<Claim[]> {
  const { many } = ground;
  const ports = ground.connect();
  const { broker } = ports;
  for (const topic of [LARGE, SMALL, TRIAL]) await broker.declareTopic(topicSpec({ topic }));
  const far = Date.now() + FAR_MS;
  const farOptions = (n: number) => ({ deliverAt: new Date(far + ((n * 7919) % FAR_MS)) });
  const dueAt = await instantAfter({ broker, count: many }, TRIAL, farOptions);
  // Spread over all of the fill: what is promoted later was stored long before, and lies everywhere.
  const needed = neededBy(ground);
  const every = Math.floor(many / needed);
  const isDue = (n: number): boolean => n % every === 0 && n / every < needed;

  const before = await ground.usedBytes();
  const optionsOf = (n: number) => (isDue(n) ? { deliverAt: new Date(dueAt + (n % 1_000)) } : farOptions(n));
  const ids = await fill({ broker, topic: LARGE, count: many, optionsOf });
  const bytes = ((await ground.usedBytes()) - before) / many;
  const { scheduled } = await ports.admin.stats(LARGE);
  if (scheduled !== many) throw new Error(`${many - scheduled} messages were due before all of them were scheduled`);
  ground.say(`${many} messages wait, ${Math.round(bytes)} B each`);
  const claims: Claim[] = [
    {
      what: `memory of a waiting message over its ${BODY_BYTES}-byte body`,
      measured: bytes - BODY_BYTES,
      limit: MOST_BYTES,
      unit: 'B',
      beside: { 'B each in all': bytes, messages: many },
    },
  ];

  await passes(dueAt + 1_000);
  claims.push(await promoteCost(ground, broker, LARGE, SMALL));
  claims.push(...(await lateness(ground, broker, LARGE)));
  claims.push(
    ...(await cancelAll(
      ground,
      ids.filter((_, n) => !isDue(n)),
    )),
  );
  claims.push(await endOfAnswers(ground, ids.length - needed));
  return claims;
}

async function cancelAll(ground: Ground, ids: readonly string[]): Promise<Claim[]> {
  let refused = 0;
  const stall = await stallDuring(ground, `${ids.length.toLocaleString('en-US')} cancels`, async () => {
    for (let first = 0; first < ids.length; first += CALLS_AT_ONCE) {
      // A connection of its own for each lot: as many answers are kept as there are calls.
      const { broker } = ground.connect();
      await broker.declareTopic(topicSpec({ topic: LARGE }));
      const lot = ids.slice(first, first + CALLS_AT_ONCE);
      const answers = await Promise.all(lot.map((messageId) => broker.cancel(LARGE, { messageId })));
      refused += answers.filter((answer) => answer !== 'cancelled').length;
      await broker.close();
    }
  });
  return [stall, { what: 'cancels of a waiting message that were refused', measured: refused, limit: 0, unit: '' }];
}

async function endOfAnswers(ground: Ground, calls: number): Promise<Claim> {
  const { keys, records } = await kept(ground.redis, `{${NAMESPACE}:*:tok:*`);
  if (records < calls) throw new Error(`${records} answers, expected one for each of ${calls} cancels`);
  const others = (await ground.redis.dbsize()) - keys;
  return stallDuring(
    ground,
    'the end of the answers of these calls (token records)',
    () => until('the answers are gone', 2 * ANSWERS_LIVE_MS, async () => (await ground.redis.dbsize()) <= others),
    () => ({ records, keys }),
  );
}
