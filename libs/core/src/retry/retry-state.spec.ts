import { FIRST_DELIVERY, type FailureRecord, type RetryState } from '../consumer/delivery.js';
import { afterCrash, afterFailure, withFailure } from './retry-state.js';

const failure = (attempt: number): FailureRecord => {
  return { attempt, at: attempt, durationMs: 1, error: 'Error', text: 'x', stack: `stack ${attempt}` };
};

const afterFailures = (count: number): RetryState => {
  let state = FIRST_DELIVERY;
  for (let attempt = 1; attempt <= count; attempt++) state = afterFailure(state, failure(attempt));
  return state;
};

describe('retry state', () => {
  it('counts a failure as an attempt and keeps its story', () => {
    expect(afterFailures(2)).toMatchObject({
      attempt: 3,
      crashes: 0,
      generation: 0,
      failures: [{ attempt: 1 }, { attempt: 2 }],
    });
  });

  it('counts a crash apart from the attempts', () => {
    expect(afterCrash(afterFailures(1))).toMatchObject({ attempt: 2, crashes: 1 });
  });

  it('of a dead letter keeps the attempt that failed last', () => {
    expect(withFailure(afterFailures(16), failure(17))).toMatchObject({ attempt: 17 });
    expect(withFailure(afterFailures(16), failure(17)).failures).toHaveLength(17);
  });

  it('keeps the 4 oldest and the 28 latest of a long story and says how many are left out', () => {
    const { failures, failuresLeftOut } = afterFailures(100);
    const kept = failures.map(({ attempt }) => attempt);
    expect(kept).toEqual([1, 2, 3, 4, ...Array.from({ length: 28 }, (_, index) => 73 + index)]);
    expect(failuresLeftOut).toBe(68);
  });

  it('leaves nothing out of 32 failures', () => {
    expect(afterFailures(32).failures).toHaveLength(32);
    expect(afterFailures(32).failuresLeftOut).toBeUndefined();
  });

  it('keeps stacks of the first and the latest failure only', () => {
    const stacks = afterFailures(40).failures.map(({ stack }) => stack);
    expect(stacks[0]).toBe('stack 1');
    expect(stacks.at(-1)).toBe('stack 40');
    expect(stacks.slice(1, -1).every((stack) => stack === undefined)).toBe(true);
  });

  it('never changes the state it was given', () => {
    const before = afterFailures(3);
    const copy = structuredClone(before);
    afterFailure(before, failure(4));
    expect(before).toEqual(copy);
  });
});
