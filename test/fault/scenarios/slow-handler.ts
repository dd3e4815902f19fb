import type { Scenario } from '../scenario.js';
import { concurrent, LEASE_MS } from '../traffic.js';

const HEARTBEAT_EVERY = 40;
const BLOCKED_EVERY = 400;

export const slowHandler: Scenario = {
  id: 'T15',
  title: 'handlers slower than three leases, with heartbeat, and without (the process is blocked)',
  run: async (stage) => {
    await stage.startRedis();
    const slow = { ms: 3 * LEASE_MS };
    const steady = concurrent(0, { group: 'steady', slow: { ...slow, every: HEARTBEAT_EVERY, blocks: false } });
    const blocked = concurrent(1, { group: 'blocked', slow: { ...slow, every: BLOCKED_EVERY, blocks: true } });
    const [first, second] = stage.groups([steady, blocked]);
    // A lease that is renewed is never another's, however long the handler takes.
    stage.rules = { groups: [{ ...first!, noDuplicates: true }, second!] };
    for (const name of ['steady 1', 'steady 2']) await stage.consumer(name, [steady]);
    for (const name of ['blocked 1', 'blocked 2', 'blocked 3']) await stage.consumer(name, [blocked]);
    await stage.producer('producer', { perSecond: 120, keys: 0 });
    await stage.wait(stage.forMs);
    await stage.finish();
    const sent = stage.stats[0]!.accepted;
    stage.faults = Math.floor(sent / HEARTBEAT_EVERY) + Math.floor(sent / BLOCKED_EVERY);
    stage.say(`every ${HEARTBEAT_EVERY}th handler slow with heartbeat, every ${BLOCKED_EVERY}th blocks its process`);
  },
};
