import { killAtPoint } from '../faults.js';
import type { Scenario } from '../scenario.js';
import { concurrent, ordered } from '../traffic.js';

export const killConsumer: Scenario = {
  id: 'T4',
  title: 'kill -9 a consumer before and after its effect, before and after its ack',
  run: async (stage) => {
    await Promise.all([stage.startRedis(), stage.startSql()]);
    const listening = [concurrent(0, { inbox: true }), ordered(1, { inbox: true })];
    stage.rules = { groups: stage.groups(listening) };
    const crew = await Promise.all(
      ['consumer 1', 'consumer 2', 'consumer 3'].map((name) => stage.consumer(name, listening)),
    );
    await stage.producer('producer', { perSecond: 150, keys: 40 });
    await stage.nemesis({ forMs: stage.forMs, everyMs: [300, 1_000], kinds: [killAtPoint(stage, crew)], least: 4 });
    await stage.finish();
  },
};
