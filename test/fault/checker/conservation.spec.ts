import { describe, expect, it } from '@jest/globals';
import type { TopicStats } from '@millrace/core';
import { leaks, unfinished } from './conservation.js';

const GROUP = {
  group: 'billing',
  mode: 'ordered',
  ready: 1,
  leased: 2,
  retrying: 3,
  parked: 4,
  dead: 5,
  purged: 6,
  done: 7,
  skipped: 8,
  expired: 9,
  dropped: 10,
  passed: 11,
  replayed: 12,
};
const PLACES = 'ready leased retrying parked dead purged done skipped expired dropped passed'.split(' ');
// 66 in places, 12 of them for the second time: 54 have arrived.
const STATS: TopicStats = {
  topic: 'orders',
  accepted: 54 + 2 + 7 + 13 + 17,
  cancelled: 2,
  scheduled: 7,
  half: 13,
  parkedHalves: 1,
  rolledBack: 17,
  groups: [GROUP],
};

describe('conservation', () => {
  it('holds when every accepted message is in one place', () => {
    expect(leaks(STATS)).toEqual([]);
  });

  it.each(PLACES)('finds a leak of %s', (place) => {
    const leaking = { ...GROUP, [place]: GROUP[place as 'done'] - 1 };
    expect(leaks({ ...STATS, groups: [leaking] })).toEqual([
      expect.stringContaining('orders/billing: 54 arrived and 12 were put back, 65 accounted for'),
    ]);
  });

  it.each(['half', 'rolledBack', 'scheduled', 'cancelled'] as const)(
    'finds a message that went lost as %s, before any group saw it',
    (state) => {
      const leaking = { ...STATS, [state]: STATS[state] - 1 };
      expect(leaks(leaking)).toEqual([expect.stringContaining('orders/billing: 55 arrived')]);
      expect(leaks(leaking)[0]).toContain(`${STATS[state] - 1} ${state}`);
    },
  );

  it('finds a half message that was committed and is still counted as half', () => {
    expect(leaks({ ...STATS, groups: [{ ...GROUP, ready: GROUP.ready + 1 }] })).toHaveLength(1);
  });

  it('finds a message that is in two places', () => {
    expect(leaks({ ...STATS, accepted: STATS.accepted - 1 })).toHaveLength(1);
  });

  it('finds a replay that counts what it did not put back', () => {
    expect(leaks({ ...STATS, groups: [{ ...GROUP, replayed: 13 }] })).toHaveLength(1);
  });

  it('counts what is still to do', () => {
    expect(unfinished(STATS)).toBe(7 + 13 + 1 + 2 + 3 + 4);
  });
});
