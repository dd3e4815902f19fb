import { describe, expect, it } from '@jest/globals';
import { Pace } from './pace.js';

/** A clock that only the test moves. */
function handClock() {
  return { at: 0, now: () => 0, monotonic: () => clock.at, wait: async () => undefined };
}
let clock: ReturnType<typeof handClock>;

/** Letters that went in so many ms, when each call takes `callMs`. */
function run(max: number, perMs: number, ms: number, callMs = 1): number {
  clock = handClock();
  const pace = new Pace({ max, perMs }, clock);
  let letters = 0;
  for (;;) {
    clock.at += pace.dueInMs();
    if (clock.at >= ms) return letters;
    clock.at += callMs;
    letters += pace.batch;
    pace.spent(pace.batch);
  }
}

describe('a pace', () => {
  it.each([
    [50, 1000],
    [200, 1000],
    [7, 1000],
    [1, 10_000],
    [60, 60_000],
    [5000, 1000],
  ])('of %d in %d ms is kept over a minute within 2 %%', (max, perMs) => {
    const wanted = (60_000 * max) / perMs;
    expect(Math.abs(run(max, perMs, 60_000) - wanted)).toBeLessThanOrEqual(Math.max(1, wanted * 0.02));
  });

  it('is spread: one batch holds no more than a tenth of a second', () => {
    expect(new Pace({ max: 50, perMs: 1000 }, handClock()).batch).toBe(5);
    expect(new Pace({ max: 1, perMs: 10_000 }, handClock()).batch).toBe(1);
  });

  it('does not burst after a pause', () => {
    clock = handClock();
    const pace = new Pace({ max: 50, perMs: 1000 }, clock);
    pace.spent(5);
    clock.at += 60_000;
    let atOnce = 0;
    while (pace.dueInMs() === 0) {
      pace.spent(5);
      atOnce += 5;
    }
    expect(atOnce).toBeLessThanOrEqual(10);
  });

  it('without a rate waits for nothing', () => {
    clock = handClock();
    const pace = new Pace(undefined, clock);
    pace.spent(1000);
    expect([pace.batch, pace.dueInMs()]).toEqual([100, 0]);
  });
});
