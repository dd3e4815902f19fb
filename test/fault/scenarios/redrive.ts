import { connectRedis } from '@millrace/redis';
import type { BrokerAdmin } from '@millrace/core';
import { killMember, loseReply } from '../faults.js';
import type { Scenario } from '../scenario.js';
import type { FaultKind } from '../stage/nemesis.js';
import { scriptSha } from '../stage/script-sha.js';
import type { Stage } from '../stage/stage.js';
import { concurrent, ordered } from '../traffic.js';

const TOPIC = 'orders';

export const redrive: Scenario = {
  id: 'T20',
  title: 'redrive under traffic',
  run: async (stage) => {
    await stage.startRedis();
    // Sick until they are redriven: every one of them is a dead letter once, and done once.
    const sick = { sickEvery: 20, maxAttempts: 2, backoffMs: 50, maxCrashes: 1_000 };
    const listening = [concurrent(0, sick), ordered(1, sick)];
    stage.rules = { groups: stage.groups(listening) };
    const crew = await Promise.all(['consumer 1', 'consumer 2'].map((name) => stage.consumer(name, listening)));
    await stage.producer('producer', { perSecond: 200, keys: 0 });
    const proxy = await stage.proxy();
    const connection = `redis://${proxy.host}:${proxy.port}`;
    const { admin, broker } = connectRedis({ connection, namespace: stage.namespace });
    stage.onClose(() => broker.close());
    const lost = loseReply(stage, [proxy], 'redrive', await scriptSha('redrive'));
    const kinds = [redriveSome(stage, admin), killMember(stage, crew), redriveUnheard(stage, admin, lost)];
    await stage.nemesis({ forMs: stage.forMs, everyMs: [300, 1_000], kinds, inTurn: true, least: 3 });
    await stage.stopProducers();
    await stage.until('every dead letter is redriven and done', 60_000, async () => {
      await redriveAll(stage, admin, 1_000);
      return (await stage.backlog()) === 0 && (await dead(admin)) === 0;
    });
    await stage.finish();
  },
};

async function redriveAll(stage: Stage, admin: BrokerAdmin, max: number): Promise<void> {
  for (const { group } of (await admin.stats(TOPIC)).groups) {
    const redriven = await admin.redrive(TOPIC, group, { max });
    stage.figures.redriven = Number(stage.figures.redriven ?? 0) + redriven.length;
  }
}

async function dead(admin: BrokerAdmin): Promise<number> {
  return (await admin.stats(TOPIC)).groups.reduce((sum, group) => sum + group.dead, 0);
}

const redriveSome =
  (stage: Stage, admin: BrokerAdmin): FaultKind =>
  (prng) => {
    const max = prng.int(1, 100);
    return { what: `redrive up to ${max}`, strike: () => redriveAll(stage, admin, max) };
  };

/** The operator's call is repeated, and must not return anything twice. */
const redriveUnheard =
  (stage: Stage, admin: BrokerAdmin, lost: FaultKind): FaultKind =>
  (prng) => {
    const loss = lost(prng);
    return {
      what: `redrive, ${loss.what}`,
      strike: async () => void (await Promise.all([loss.strike(), redriveAll(stage, admin, 50)])),
    };
  };
