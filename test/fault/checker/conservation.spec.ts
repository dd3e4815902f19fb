import { describe, expect, it } from '@jest/globals';
import type { TopicStats } from '@millrace/core';
import { leaks, unfinished } from './conservation.js';

const GROUP = { group: 'billing', mode: 'concurrent', ready: 1, leased: 2, retrying: 3, dead: 4, done: 5, skipped: 6 };
const STATS = { topic: 'orders', accepted: 30, cancelled: 2, scheduled: 7, groups: [GROUP] } as unknown as TopicStats;

describe('conservation', () => {
  it('holds when every accepted message is in one place', () => {
    expect(leaks(STATS)).toEqual([]);
  });

  it.each(['ready', 'leased', 'retrying', 'dead', 'done', 'skipped'] as const)('finds a leak of %s', (place) => {
    const leaking = { ...STATS, groups: [{ ...GROUP, [place]: GROUP[place] - 1 }] } as unknown as TopicStats;
    expect(leaks(leaking)).toEqual([expect.stringContaining('orders/billing: 21 arrived, 20 accounted for')]);
  });

  it('finds a message that is in two places', () => {
    expect(leaks({ ...STATS, accepted: 29 })).toHaveLength(1);
  });

  it('counts what is still to do', () => {
    expect(unfinished(STATS)).toBe(7 + 1 + 2 + 3);
  });
});
