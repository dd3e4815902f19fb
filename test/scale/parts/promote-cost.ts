// What it costs the server to make a due message ready, with a thousand others waiting and with a million. In turn, so that
// what disturbs the machine disturbs both.
import type { Broker } from '@millrace/core';
import type { Claim } from '../claim.js';
import { fill } from '../fill.js';
import { median, type Ground } from '../ground.js';
import { passes } from '../instant.js';

const ROUNDS = 21;
const ROUNDS_QUICK = 5;
const PER_ROUND = 900;
/** Promoted in one call, as the promoter does. */
const PER_CALL = 100;
const FEW = 1_000;
const DUE_IN_MS = 200;
const FAR_MS = 3_600_000;
/** Of the first rounds: scripts are loaded, code is compiled. */
const WARM_UP = 1;

const roundsOf = ({ options }: Ground): number => (options.isQuick ? ROUNDS_QUICK : ROUNDS);

/** So many due messages has `large` to have for all rounds. */
export const neededBy = (ground: Ground): number => (roundsOf(ground) + WARM_UP) * PER_ROUND;

/**
 * @param large topic with many pending messages, of which `neededBy` are due: stored among the others, long before, so that
 * nothing of them is in a cache @param small topic without messages
 */
export async function promoteCost(ground: Ground, broker: Broker, large: string, small: string): Promise<Claim> {
  const far = Date.now() + FAR_MS;
  await fill({ broker, topic: small, count: FEW - PER_ROUND, optionsOf: (n) => ({ deliverAt: new Date(far + n) }) });
  const rounds = roundsOf(ground);
  const costs = { large: [] as number[], small: [] as number[] };
  const wall = { large: [] as number[], small: [] as number[] };
  for (let round = -WARM_UP; round < rounds; round++) {
    await passes(await storeDue(broker, small));
    for (const [name, topic] of [
      ['small', small],
      ['large', large],
    ] as const) {
      const [usec, ms] = await promoteRound(ground, broker, topic);
      if (round < 0) continue;
      costs[name].push(usec / PER_ROUND);
      wall[name].push((ms * 1000) / PER_ROUND);
    }
  }
  const [many, few] = [median(costs.large), median(costs.small)];
  return {
    what: `server time to promote a message with ${ground.many.toLocaleString('en-US')} pending, of that with ${FEW.toLocaleString('en-US')}`,
    measured: many / few,
    limit: 1.2,
    unit: '×',
    beside: {
      'µs each with many': many,
      'µs each with few': few,
      'µs each with the way there and back, many': median(wall.large),
      few: median(wall.small),
      rounds,
    },
  };
}

/** Messages that are due soon, but not before all of them are stored. Returns when that is. */
async function storeDue(broker: Broker, topic: string): Promise<number> {
  for (let leadMs = DUE_IN_MS; ; leadMs *= 2) {
    const due = Date.now() + leadMs;
    await fill({ broker, topic, count: PER_ROUND, optionsOf: (n) => ({ deliverAt: new Date(due + (n % 10)) }) });
    if (Date.now() < due) return due + 10;
    // Too slow: some became ready at once.
    await passes(due + 10);
    while ((await broker.promote(topic, 0, { max: PER_CALL })).promoted > 0);
  }
}

/** Time inside the server's scripts, µs, and time until the answers were here, ms. */
async function promoteRound(ground: Ground, broker: Broker, topic: string): Promise<[usec: number, ms: number]> {
  const before = await scriptTime(ground);
  const started = performance.now();
  for (let left = PER_ROUND; left > 0;) {
    // A call gives up fewer than it may where one bucket has far more of what is due than the others.
    const { promoted } = await broker.promote(topic, 0, { max: Math.min(PER_CALL, left) });
    if (promoted === 0) throw new Error(`${left} messages of ${topic} are not due`);
    left -= promoted;
  }
  const ms = performance.now() - started;
  return [(await scriptTime(ground)) - before, ms];
}

async function scriptTime(ground: Ground): Promise<number> {
  const text = await ground.redis.info('commandstats');
  return [...text.matchAll(/^cmdstat_eval(?:sha)?:calls=\d+,usec=(\d+)/gm)].reduce(
    (sum, [, usec]) => sum + Number(usec),
    0,
  );
}
