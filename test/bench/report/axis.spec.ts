import { describe, expect, it } from '@jest/globals';
import { axisOf } from './axis.js';

describe('an axis', () => {
  it('has round numbers from zero to above the largest value, so that differences keep their size', () => {
    const { ticks, at } = axisOf([90, 97], 100, 0, { fromZero: true });
    expect(ticks).toEqual([0, 20, 40, 60, 80, 100]);
    expect([at(0), at(50), at(100)]).toEqual([100, 50, 0]);
  });

  it('need not begin at zero', () => {
    expect(axisOf([1, 10], 0, 100).ticks).toEqual([0, 2, 4, 6, 8, 10]);
  });

  it('has steps that can be written: no 0.30000000000000004', () => {
    expect(axisOf([0.3], 0, 100, { fromZero: true }).ticks).toEqual([0, 0.1, 0.2, 0.3]);
  });

  it('puts powers of ten at equal distances', () => {
    const { ticks, at } = axisOf([1_000, 1_000_000], 0, 300, { log: true });
    expect(ticks).toEqual([1_000, 10_000, 100_000, 1_000_000]);
    expect(ticks.map(at)).toEqual([0, 100, 200, 300]);
  });

  it('covers values between powers of ten', () => {
    expect(axisOf([128, 102_400], 0, 100, { log: true }).ticks).toEqual([100, 1_000, 10_000, 100_000, 1_000_000]);
  });

  it('puts a single value into the middle', () => {
    expect(axisOf([10], 0, 100, { log: true }).at(10)).toBe(50);
  });

  it('refuses what it cannot draw', () => {
    expect(() => axisOf([], 0, 1)).toThrow('finite');
    expect(() => axisOf([1, Number.NaN], 0, 1)).toThrow('finite');
    expect(() => axisOf([0, 1], 0, 1, { log: true })).toThrow('above zero');
  });
});
