import { killRedis } from '../faults.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage/stage.js';
import { concurrent, ordered } from '../traffic.js';

/** How much of the past an `everysec` server may forget: the second itself, and one in which its fsync is late. */
const EVERYSEC_MS = 2_000;

export const killServer: Scenario = {
  id: 'T1',
  title: 'kill -9 redis, appendfsync always',
  run: async (stage) => {
    await stage.startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    await traffic(stage);
  },
};

export const killServerEverysec: Scenario = {
  id: 'T2',
  title: 'kill -9 redis, appendfsync everysec',
  run: async (stage) => {
    await stage.startRedis('--appendonly', 'yes', '--appendfsync', 'everysec');
    await traffic(stage, { ms: EVERYSEC_MS });
  },
};

async function traffic(stage: Stage, forgets?: { ms: number }): Promise<void> {
  const listening = [concurrent(0), ordered(1)];
  // What is forgotten may be a settlement: then its message comes again, after later ones of its key.
  stage.rules = { groups: stage.groups(listening), mayRewind: forgets !== undefined };
  for (const name of ['consumer 1', 'consumer 2']) await stage.consumer(name, listening);
  for (const name of ['producer 1', 'producer 2']) {
    await stage.producer(name, { perSecond: 150, keys: 20, delayShare: 0.1, maxDelayMs: 2_000 });
  }
  await stage.nemesis({
    forMs: stage.forMs,
    everyMs: [1_500, 3_500],
    kinds: [killRedis(stage, [100, 1_000], forgets)],
  });
  await stage.wait(500);
  await stage.finish();
}
