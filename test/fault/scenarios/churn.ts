import { killMember, replaceMember } from '../faults.js';
import type { Scenario } from '../scenario.js';
import { ordered } from '../traffic.js';

export const churn: Scenario = {
  id: 'T18',
  title: 'members join and leave every 1–3 s, ordered groups',
  run: async (stage) => {
    await stage.startRedis();
    stage.topics = [{ topic: 'orders', queues: 8 }];
    const listening = [ordered(0, { workMs: [1, 20], failShare: 0.02 })];
    stage.rules = { groups: stage.groups(listening) };
    const names = ['member 1', 'member 2', 'member 3', 'member 4'];
    const crew = await Promise.all(names.map((name) => stage.consumer(name, listening)));
    for (const name of ['producer 1', 'producer 2']) await stage.producer(name, { perSecond: 150, keys: 40 });
    const kinds = [replaceMember(stage, crew), replaceMember(stage, crew), killMember(stage, crew)];
    await stage.nemesis({ forMs: stage.forMs, everyMs: [1_000, 3_000], kinds, inTurn: true, least: 3 });
    await stage.finish();
  },
};
