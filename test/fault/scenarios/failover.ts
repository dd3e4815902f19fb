import type { RedisCluster, SentinelSet } from '@millrace/testing/servers';
import type { SendingConfig } from '../member/member-config.js';
import type { Scenario } from '../scenario.js';
import type { FaultKind } from '../stage/nemesis.js';
import type { Stage } from '../stage/stage.js';
import { concurrent, ordered } from '../traffic.js';

/** Replication is asynchronous: what a replica had not yet when its master died is gone, unless the send waited for it. */
const REPLICATION_LAG_MS = 2_000;

export const sentinelFailover: Scenario = {
  id: 'T9',
  title: 'Sentinel failover, without replicas durability',
  timeFactor: 1.5,
  run: async (stage) => {
    const set = await stage.startSentinel({ replicas: 1, downAfterMs: 1_000 });
    await traffic(stage, [killMaster(stage, set)]);
  },
};

export const durableFailover: Scenario = {
  id: 'T9R',
  title: 'Sentinel failover, every send with { replicas: 1 }',
  timeFactor: 1.5,
  run: async (stage) => {
    const set = await stage.startSentinel({ replicas: 1, downAfterMs: 1_000 });
    // Nothing acknowledged may be forgotten: the history names no such window.
    await traffic(stage, [killMaster(stage, set, 'nothing')], { durability: { replicas: 1 } });
  },
};

export const clusterFailover: Scenario = {
  id: 'T10',
  title: 'Cluster failover, by a crash and in good order',
  timeFactor: 1.5,
  run: async (stage) => {
    const cluster = await stage.startCluster({ masters: 3, replicas: 1 });
    stage.topics = [{ topic: 'orders', shards: 3, queues: 6 }];
    await traffic(stage, [killNode(stage, cluster)]);
  },
};

export const slotMigration: Scenario = {
  id: 'T11',
  title: 'slot migration under load',
  run: async (stage) => {
    const cluster = await stage.startCluster({ masters: 3 });
    stage.topics = [{ topic: 'orders', shards: 3, queues: 6 }];
    // Nothing is lost on the way, and nothing goes back in time.
    stage.sendTimeout = '10s';
    const listening = [concurrent(0), ordered(1)];
    stage.rules = { groups: stage.groups(listening) };
    await start(stage);
    await stage.nemesis({ forMs: stage.forMs, everyMs: [300, 1_500], kinds: [migrate(stage, cluster)], least: 2 });
    await stage.finish();
  },
};

async function traffic(stage: Stage, kinds: FaultKind[], sending: Partial<SendingConfig> = {}): Promise<void> {
  stage.sendTimeout = '10s';
  const listening = [concurrent(0), ordered(1)];
  // A promoted replica may lack the last settlements: their messages come again.
  stage.rules = { groups: stage.groups(listening), mayRewind: true };
  stage.countersAreLost = true;
  await start(stage, sending);
  await stage.nemesis({ forMs: stage.forMs, everyMs: [2_000, 4_000], kinds, least: 2 });
  await stage.wait(1_000);
  await stage.finish({ drainWithinMs: 60_000 });
}

async function start(stage: Stage, sending: Partial<SendingConfig> = {}): Promise<void> {
  const listening = [concurrent(0), ordered(1)];
  for (const name of ['consumer 1', 'consumer 2']) await stage.consumer(name, listening);
  for (const name of ['producer 1', 'producer 2'])
    await stage.producer(name, { perSecond: 100, keys: 20, delayShare: 0.1, maxDelayMs: 1_000, ...sending });
}

const killMaster =
  (stage: Stage, set: SentinelSet, mayForget: 'latest' | 'nothing' = 'latest'): FaultKind =>
  () => ({
    what: 'kill -9 the master, a replica takes over',
    strike: async () => {
      const former = await set.master();
      const since = performance.now() - REPLICATION_LAG_MS;
      await former.kill();
      await set.takenOver(former);
      if (mayForget === 'latest') noteForgotten(stage, since);
      // What was sent to the former master in between was never acknowledged. It comes back as a replica.
      await set.watched();
      await former.restart();
      // A second loss before the replica is whole again is more than one replica can stand.
      await set.inSync();
      await stage.wait(1_000);
    },
  });

/** Until all sentinels, or the cluster, name the new master, every receipt is from the dead master, however late its producer comes to read it. */
const noteForgotten = (stage: Stage, since: number): void =>
  stage.history.note('forgotten', { wall: performance.now() - since });

const keyOf = (stage: Stage, shard: number): string => `{${stage.namespace}:orders:${shard}}:meta`;

const killNode =
  (stage: Stage, cluster: RedisCluster): FaultKind =>
  (prng) => {
    const shard = prng.int(0, 2);
    return {
      what: `kill -9 the master of shard ${shard}`,
      strike: async () => {
        const owner = await cluster.ownerOf(keyOf(stage, shard));
        const since = performance.now() - REPLICATION_LAG_MS;
        await owner.kill();
        await cluster.takenOver(keyOf(stage, shard), owner);
        noteForgotten(stage, since);
        await owner.restart();
        await stage.wait(2_000);
      },
    };
  };

const migrate =
  (stage: Stage, cluster: RedisCluster): FaultKind =>
  (prng) => {
    const [shard, to] = [prng.int(0, 2), prng.int(1, 2)];
    return {
      what: `move the slot of shard ${shard}`,
      strike: async () => {
        const slot = await cluster.slotOf(keyOf(stage, shard));
        const owner = await cluster.ownerOf(keyOf(stage, shard));
        const target = cluster.nodes[(cluster.nodes.indexOf(owner) + to) % cluster.nodes.length]!;
        await cluster.migrateSlot(slot, target);
      },
    };
  };
