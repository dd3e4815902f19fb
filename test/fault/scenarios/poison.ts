import type { Scenario } from '../scenario.js';
import type { FaultKind } from '../stage/nemesis.js';
import type { Stage } from '../stage/stage.js';
import { concurrent } from '../traffic.js';

const EVERY = 150;

export const poison: Scenario = {
  id: 'T16',
  title: 'poison: throws, crashes its process, hangs, cannot be decoded',
  run: async (stage) => {
    await stage.startRedis();
    // Three crashes is the default of listeners; two of them alone, so that no neighbour goes with it.
    const listening = [concurrent(0, { maxAttempts: 2, maxCrashes: 3, timeout: '500ms' })];
    stage.rules = { groups: stage.groups(listening) };
    for (const name of ['consumer 1', 'consumer 2', 'consumer 3', 'consumer 4'])
      stage.supervise(await stage.consumer(name, listening));
    await stage.producer('producer', { perSecond: 120, keys: 0, poisonEvery: EVERY });
    await stage.nemesis({ forMs: stage.forMs, everyMs: [300, 900], kinds: [garbage(stage)] });
    const undecodable = stage.faults;
    stage.rules = { ...stage.rules, foreignMessages: undecodable };
    await stage.finish({ drainWithinMs: 60_000 });
    stage.faults += Math.floor(stage.stats[0]!.accepted / EVERY);
    const buried = stage.figures['dead: undecodable'] ?? 0;
    if (buried !== undecodable)
      stage.problems.push(`${undecodable} undecodable messages, ${buried} dead letters of them`);
    stage.figures['processes crashed'] = stage.restarts;
  },
};

/** An entry that is no message: it must neither stop the queue nor vanish. */
function garbage(stage: Stage): FaultKind {
  return (prng) => {
    const [queue, envelope] = [prng.int(0, 3), prng.pick(['', 'not json', '{"v":99}', '[]'])];
    return {
      what: `an entry with envelope '${envelope}'`,
      strike: async () => {
        const fields = [`garbage-${stage.faults}-${prng.int(0, 1e9)}\n\n0\n${envelope}`, '\x00'];
        await stage.direct.xadd(`{${stage.namespace}:orders:0}:q:${queue}`, '*', ...fields);
      },
    };
  };
}
