import type { TcpProxy } from '@millrace/testing';
import type { Scenario } from '../scenario.js';
import type { FaultKind } from '../stage/nemesis.js';
import type { Stage } from '../stage/stage.js';
import { concurrent, ordered } from '../traffic.js';

/** After so long a silence with calls under way a client has to give up its socket. */
const NOTICED_WITHIN_MS = 25_000;

export const halfOpen: Scenario = {
  id: 'T8',
  title: 'half-open connections: nothing passes, or one side has ended, and nobody is told',
  timeFactor: 1.5,
  run: async (stage) => {
    await stage.startRedis();
    stage.sendTimeout = '40s';
    const listening = [concurrent(0), ordered(1)];
    stage.rules = { groups: stage.groups(listening) };
    const proxies = [await stage.proxy(), await stage.proxy(), await stage.proxy()];
    await stage.consumer('consumer 1', listening, proxies[0]);
    await stage.consumer('consumer 2', listening, proxies[1]);
    await stage.producer('producer', { perSecond: 200, keys: 20, delayShare: 0.1, maxDelayMs: 1_000 }, proxies[2]);
    const kinds = [blackhole(stage, proxies), halfClose(proxies), deadHost(stage, proxies), strand(proxies)];
    await stage.nemesis({ forMs: stage.forMs, everyMs: [500, 2_500], kinds, inTurn: true, least: 4 });
    // The stranded ones are not healed by anybody: they have to notice.
    await stage.finish({ drainWithinMs: NOTICED_WITHIN_MS + 30_000 });
  },
};

/** A partition: what was held back arrives in the end. */
function blackhole(stage: Stage, proxies: readonly TcpProxy[]): FaultKind {
  return (prng) => {
    const [proxy, ms] = [prng.pick(proxies), prng.int(200, 4_000)];
    return {
      what: `black hole for ${ms} ms`,
      strike: async () => {
        proxy.blackhole();
        await stage.wait(ms);
        proxy.pass();
      },
    };
  };
}

/** The other host is gone: what was held back never arrives. */
function deadHost(stage: Stage, proxies: readonly TcpProxy[]): FaultKind {
  return (prng) => {
    const [proxy, ms] = [prng.pick(proxies), prng.int(200, 4_000)];
    return {
      what: `dead host for ${ms} ms`,
      strike: async () => {
        proxy.blackhole();
        await stage.wait(ms);
        proxy.reset();
        proxy.pass();
      },
    };
  };
}

function halfClose(proxies: readonly TcpProxy[]): FaultKind {
  return (prng) => {
    const proxy = prng.pick(proxies);
    return { what: 'half-close', strike: async () => proxy.halfClose() };
  };
}

/** The connections look alive for ever, and nothing passes; new ones work. */
function strand(proxies: readonly TcpProxy[]): FaultKind {
  return (prng) => {
    const proxy = prng.pick(proxies);
    return { what: 'strand connections', strike: async () => proxy.strand() };
  };
}
