import type { Scenario } from '../scenario.js';
import type { FaultKind } from '../stage/nemesis.js';
import type { Stage } from '../stage/stage.js';
import { concurrent, ordered } from '../traffic.js';

export const outOfMemory: Scenario = {
  id: 'T13',
  title: 'out of memory (noeviction), then drain',
  run: async (stage) => {
    await stage.startRedis('--maxmemory-policy', 'noeviction');
    const listening = [concurrent(0), ordered(1)];
    stage.rules = { groups: stage.groups(listening) };
    for (const name of ['consumer 1', 'consumer 2']) await stage.consumer(name, listening);
    await stage.producer('producer', { perSecond: 250, keys: 20, delayShare: 0.2, maxDelayMs: 1_000, bodyBytes: 800 });
    await stage.nemesis({ forMs: stage.forMs, everyMs: [800, 2_000], kinds: [fill(stage)] });
    await stage.finish();
  },
};

/** Less memory than is used already: from now on every write that may grow is refused. */
function fill(stage: Stage): FaultKind {
  return (prng) => {
    const ms = prng.int(500, 3_000);
    return {
      what: `no memory for ${ms} ms`,
      strike: async () => {
        const used = Number(/used_memory:(\d+)/.exec(await stage.direct.info('memory'))![1]);
        await stage.direct.config('SET', 'maxmemory', Math.floor(used * 0.9));
        await stage.wait(ms);
        await stage.direct.config('SET', 'maxmemory', 0);
      },
    };
  };
}
