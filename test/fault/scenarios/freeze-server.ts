import { freezeRedis } from '../faults.js';
import type { Scenario } from '../scenario.js';
import { concurrent, LEASE_MS, ordered } from '../traffic.js';

export const freezeServer: Scenario = {
  id: 'T6',
  title: 'SIGSTOP redis, shorter and longer than leases and send deadlines',
  run: async (stage) => {
    await stage.startRedis();
    // Some freezes outlast it several times over; an answer is kept for a minute for whoever asks again.
    stage.sendTimeout = '1s';
    const listening = [concurrent(0), ordered(1)];
    stage.rules = { groups: stage.groups(listening) };
    for (const name of ['consumer 1', 'consumer 2']) await stage.consumer(name, listening);
    for (const name of ['producer 1', 'producer 2']) {
      await stage.producer(name, { perSecond: 150, keys: 20, delayShare: 0.1, maxDelayMs: 2_000 });
    }
    const kinds = [freezeRedis(stage, [100, LEASE_MS]), freezeRedis(stage, [2 * LEASE_MS, 3 * LEASE_MS])];
    await stage.nemesis({ forMs: stage.forMs, everyMs: [1_000, 2_500], kinds, inTurn: true, least: 2 });
    await stage.finish();
  },
};
