import { describe, expect, it } from '@jest/globals';
import type { Part } from './scenario.js';
import { compare, median, without } from './verdict.js';

const part: Part = { id: 'B1', title: 'send', unit: 'msg/s', bars: { raw: 0.75 } };
const times: Part = { ...part, unit: 'ms', lowerIsBetter: true };

describe('median', () => {
  it('is the middle of an odd number of values, whatever their order', () => {
    expect(median([30, 1, 2])).toBe(2);
  });

  it('is the mean of the two middle ones of an even number', () => {
    expect(median([40, 1, 3, 2])).toBe(2.5);
  });

  it('sorts by value, not by spelling', () => {
    expect(median([9, 10, 100])).toBe(10);
  });
});

describe('a comparison', () => {
  it('is ours over theirs', () => {
    expect(compare(part, 3, 'raw', 3_000, 2_000)).toMatchObject({ ours: 3_000, theirs: 2_000, ratio: 1.5, runs: 3 });
  });

  it('has no verdict without a bar', () => {
    expect(compare(part, 3, 'raw', 1, 2)).toMatchObject({ bar: undefined, met: undefined });
  });

  it('meets a bar that it reaches exactly', () => {
    expect(compare(part, 3, 'raw', 75, 100, 0.75).met).toBe(true);
  });

  it('misses a bar that it would reach only by rounding', () => {
    const { ratio, met } = compare(part, 3, 'raw', 746, 1_000, 0.75);
    expect({ ratio, met }).toEqual({ ratio: 0.75, met: false });
  });

  it('turns the bar round where less is better', () => {
    expect(compare(times, 3, 'raw', 14, 10, 1.5).met).toBe(true);
    expect(compare(times, 3, 'raw', 16, 10, 1.5).met).toBe(false);
  });

  it('keeps the decimals of small figures only', () => {
    expect(compare(part, 3, 'raw', 12_345.678, 0.1234)).toMatchObject({ ours: 12_346, theirs: 0.12 });
  });
});

describe('a peer without a figure', () => {
  it('has a row that says why, with the bar and without a verdict', () => {
    expect(without(part, 'raw', 1_000.4, { skipped: 'not there' })).toEqual({
      scenario: 'B1',
      peer: 'raw',
      ours: 1_000,
      theirs: null,
      ratio: null,
      unit: 'msg/s',
      runs: 0,
      bar: 0.75,
      skipped: 'not there',
    });
  });
});
