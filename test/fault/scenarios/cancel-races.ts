import { freezeRedis, killRedis, replaceMember } from '../faults.js';
import type { Scenario } from '../scenario.js';
import { concurrent } from '../traffic.js';

export const cancelRaces: Scenario = {
  id: 'T19',
  title: 'delayed messages with random cancel and reschedule (small)',
  run: async (stage) => {
    await stage.startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    const listening = [concurrent(0)];
    stage.rules = { groups: stage.groups(listening) };
    const crew = await Promise.all(['consumer 1', 'consumer 2'].map((name) => stage.consumer(name, listening)));
    const sending = {
      perSecond: 250,
      keys: 0,
      delayShare: 1,
      maxDelayMs: 3_000,
      cancelShare: 0.35,
      rescheduleShare: 0.35,
    };
    for (const name of ['producer 1', 'producer 2']) await stage.producer(name, sending);
    const kinds = [freezeRedis(stage, [50, 500]), killRedis(stage, [50, 500]), replaceMember(stage, crew)];
    await stage.nemesis({ forMs: stage.forMs, everyMs: [500, 2_000], kinds, inTurn: true, least: 3 });
    await stage.finish();
  },
};
