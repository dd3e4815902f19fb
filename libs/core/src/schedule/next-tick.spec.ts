import { nextTick } from './next-tick.js';
import { tickRule } from './tick-rule.js';

const HOUR = 3_600_000;
const hourly = tickRule({ everyMs: HOUR, missed: 'skip' });
const secondly = tickRule({ everyMs: 1000, missed: 'skip' });
const now = 100 * HOUR;

describe('the next tick', () => {
  it.each(['skip', 'latest', 'all'] as const)('is the one that follows while nothing was missed (%s)', (missed) => {
    expect(nextTick(hourly, missed, now - 1, now - 1)).toEqual({ at: now, hasMissed: false });
    expect(nextTick(hourly, missed, now, now)).toEqual({ at: now + HOUR, hasMissed: false });
  });

  it.each(['skip', 'latest', 'all'] as const)('may be late by a minute without being missed (%s)', (missed) => {
    expect(nextTick(secondly, missed, now - 60_001, now)).toEqual({ at: now - 60_000, hasMissed: false });
    expect(nextTick(hourly, missed, now - HOUR, now + 60_000)).toEqual({ at: now, hasMissed: false });
  });

  it('gives up what was missed by more', () => {
    expect(nextTick(hourly, 'skip', now - 5 * HOUR, now + 60_001)).toEqual({ at: now + HOUR, hasMissed: true });
    expect(nextTick(secondly, 'skip', now - HOUR, now)).toEqual({ at: now - 60_000, hasMissed: true });
  });

  it('is the latest of those that were missed, if asked for', () => {
    expect(nextTick(hourly, 'latest', now - 5 * HOUR, now + 60_001)).toEqual({ at: now, hasMissed: true });
    expect(nextTick(hourly, 'latest', now - HOUR, now + 60_001)).toEqual({ at: now, hasMissed: false });
    expect(nextTick(hourly, 'latest', now, now + 60_001)).toEqual({ at: now + HOUR, hasMissed: false });
    // A late moment of a fast schedule skips nothing of the last minute.
    expect(nextTick(secondly, 'latest', now - HOUR, now)).toEqual({ at: now - 60_000, hasMissed: true });
  });

  it('is the oldest of the last 100, if all are to be made up for', () => {
    expect(nextTick(hourly, 'all', now - 5 * HOUR, now + 60_001)).toEqual({ at: now - 4 * HOUR, hasMissed: false });
    expect(nextTick(secondly, 'all', now - 50 * HOUR, now)).toEqual({ at: now - 99_000, hasMissed: true });
  });

  it('is found at once after years, whatever the pattern', () => {
    const early = tickRule({ cron: '* * 3 1 1 *', timeZone: 'UTC', missed: 'all' });
    const [began, today] = [Date.UTC(2000, 0, 1), Date.UTC(2026, 5, 1)];
    expect(nextTick(early, 'all', began, today)).toEqual({ at: Date.UTC(2026, 0, 1, 3, 58, 20), hasMissed: true });
    expect(nextTick(early, 'latest', began, today)).toEqual({ at: Date.UTC(2026, 0, 1, 3, 59, 59), hasMissed: true });
  });
});
