import type { Scenario } from '../scenario.js';
import type { FaultKind } from '../stage/nemesis.js';
import type { Stage } from '../stage/stage.js';
import { concurrent, ordered } from '../traffic.js';

export const lostState: Scenario = {
  id: 'T21',
  title: 'SCRIPT FLUSH, FLUSHALL, XGROUP DESTROY, min-replicas, during traffic',
  run: async (stage) => {
    await stage.startRedis();
    stage.countersAreLost = true;
    const listening = [concurrent(0), ordered(1)];
    stage.rules = { groups: stage.groups(listening), mayRewind: true };
    for (const name of ['consumer 1', 'consumer 2']) await stage.consumer(name, listening);
    await stage.producer('producer', { perSecond: 250, keys: 20, delayShare: 0.1, maxDelayMs: 1_000 });
    const kinds = [scriptFlush(stage), destroyGroup(stage), tooFewReplicas(stage), flushAll(stage)];
    await stage.nemesis({ forMs: stage.forMs, everyMs: [500, 1_500], kinds, inTurn: true, least: 4 });
    // The last fault may have been the one that takes everything: something must come after it.
    await stage.wait(2_000);
    await stage.finish();
  },
};

const scriptFlush =
  (stage: Stage): FaultKind =>
  () => ({ what: 'SCRIPT FLUSH', strike: async () => void (await stage.direct.script('FLUSH')) });

/** Everything stored is gone, by the operator's own hand: what was acknowledged before is forgotten, not lost. */
const flushAll =
  (stage: Stage): FaultKind =>
  () => ({
    what: 'FLUSHALL',
    strike: async () => {
      await stage.direct.flushall();
      stage.history.note('forgotten', { wall: Infinity });
    },
  });

const destroyGroup =
  (stage: Stage): FaultKind =>
  (prng) => {
    const [group, queue] = [prng.pick(['billing', 'shipping']), prng.int(0, 3)];
    return {
      what: `XGROUP DESTROY ${group} of queue ${queue}`,
      strike: async () =>
        void (await stage.direct.xgroup('DESTROY', `{${stage.namespace}:orders:0}:q:${queue}`, group)),
    };
  };

const tooFewReplicas =
  (stage: Stage): FaultKind =>
  (prng) => {
    const ms = prng.int(300, 2_000);
    return {
      what: `min-replicas-to-write 1 for ${ms} ms`,
      strike: async () => {
        await stage.direct.config('SET', 'min-replicas-to-write', '1');
        await stage.wait(ms);
        await stage.direct.config('SET', 'min-replicas-to-write', '0');
      },
    };
  };
