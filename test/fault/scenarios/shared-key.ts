import { killMember, killRedis } from '../faults.js';
import type { Scenario } from '../scenario.js';
import { concurrent } from '../traffic.js';

export const sharedKey: Scenario = {
  id: 'T17',
  title: 'one idempotency key from 8 producers, across restarts of producers and server',
  run: async (stage) => {
    await stage.startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    const listening = [concurrent(0)];
    stage.rules = { groups: stage.groups(listening) };
    await stage.consumer('consumer', listening);
    const sending = { producer: 0, isShared: true, perSecond: 60, keys: 0, delayShare: 0 };
    const names = Array.from({ length: 8 }, (_, index) => `producer ${index + 1}`);
    const crew = await Promise.all(names.map((name) => stage.producer(name, sending)));
    const kinds = [killMember(stage, crew), killMember(stage, crew), killRedis(stage, [100, 500])];
    await stage.nemesis({ forMs: stage.forMs, everyMs: [300, 1_500], kinds, inTurn: true, least: 3 });
    await stage.finish();
  },
};
