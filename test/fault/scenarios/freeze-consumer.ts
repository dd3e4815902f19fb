import { freezeMember } from '../faults.js';
import type { Scenario } from '../scenario.js';
import { concurrent, LEASE_MS, ordered } from '../traffic.js';

export const freezeConsumer: Scenario = {
  id: 'T5',
  title: 'SIGSTOP a consumer for two leases, then SIGCONT',
  run: async (stage) => {
    await Promise.all([stage.startRedis(), stage.startSql()]);
    // Long enough that a frozen process always has handlers inside.
    const work = { inbox: true, workMs: [10, 60] } as const;
    const listening = [concurrent(0, work), ordered(1, work)];
    stage.rules = { groups: stage.groups(listening), mayOverlap: true };
    const crew = await Promise.all(
      ['consumer 1', 'consumer 2', 'consumer 3'].map((name) => stage.consumer(name, listening)),
    );
    await stage.producer('producer', { perSecond: 150, keys: 40 });
    const freeze = freezeMember(stage, crew, [2 * LEASE_MS, 3 * LEASE_MS]);
    await stage.nemesis({ forMs: stage.forMs, everyMs: [500, 1_500], kinds: [freeze], least: 2 });
    await stage.finish();
  },
};
