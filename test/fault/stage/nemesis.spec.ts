import { describe, expect, it } from '@jest/globals';
import { Prng } from '../prng.js';
import { carryOut, describePlan, makePlan, type FaultKind } from './nemesis.js';

const struck: string[] = [];
const kind =
  (name: string): FaultKind =>
  (prng) => {
    const what = `${name} ${prng.int(1, 1_000_000)}`;
    return { what, strike: async () => void struck.push(what) };
  };
const kinds = [kind('a'), kind('b'), kind('c')];
const options = { forMs: 10_000, everyMs: [100, 900], kinds } as const;

describe('the nemesis', () => {
  it('plans the same with the same seed, and something else with another', () => {
    const plan = (seed: number, salt: string): string => describePlan(makePlan(new Prng(seed, salt), options));
    expect(plan(1, 'T1')).toBe(plan(1, 'T1'));
    expect(plan(2, 'T1')).not.toBe(plan(1, 'T1'));
    expect(plan(1, 'T2')).not.toBe(plan(1, 'T1'));
  });

  it('keeps to the time and the pauses that it was given', () => {
    const times = makePlan(new Prng(3), options).faults.map(({ atMs }) => atMs);
    const pauses = times.map((at, index) => at - (times[index - 1] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(900);
    expect(times.at(-1)).toBeLessThan(10_000);
  });

  it('strikes at least as often as it has to', () => {
    expect(makePlan(new Prng(3), { ...options, forMs: 0, least: 3 }).faults).toHaveLength(3);
  });

  it('takes each kind in its turn when asked to', () => {
    const names = makePlan(new Prng(3), { ...options, inTurn: true }).faults.map(({ what }) => what[0]);
    expect(names.slice(0, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('does as it has said', async () => {
    const plan = makePlan(new Prng(4), { forMs: 3, everyMs: [1, 1], kinds });
    await expect(carryOut(plan, new AbortController().signal)).resolves.toBe(plan.faults.length);
    expect(struck).toEqual(plan.faults.map(({ what }) => what));
  });
});
