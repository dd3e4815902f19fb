import { describe, expect, it } from '@jest/globals';
import { benchOptions } from './options.js';
import type { Scenario } from './scenario.js';

const scenario = (id: string): Scenario => ({
  id,
  title: '',
  unit: 'msg/s',
  bars: {},
  theirs: [],
  ours: () => Promise.reject(new Error('not run here')),
});
const ALL = ['B1', 'B7.fire', 'B7.bytes', 'B10'].map(scenario);
const ids = (...args: string[]): string[] => benchOptions(args, ALL).scenarios.map(({ id }) => id);

describe('the command line of the benchmark', () => {
  it('runs everything in three rounds after one that warms up', () => {
    expect(benchOptions([], ALL)).toEqual({
      scenarios: ALL,
      quick: false,
      rounds: { measured: 3, warmUps: 1 },
      json: undefined,
      writeDocs: false,
      judge: false,
    });
  });

  it('takes scenarios by their names, and a family by its own', () => {
    expect(ids('--scenario', 'B7')).toEqual(['B7.fire', 'B7.bytes']);
    expect(ids('--scenario', 'B10,B7.fire')).toEqual(['B7.fire', 'B10']);
  });

  it('does not take B10 for a part of B1', () => {
    expect(ids('--scenario', 'B1')).toEqual(['B1']);
  });

  it('refuses a name that no scenario has', () => {
    expect(() => ids('--scenario', 'B1,B99')).toThrow('unknown scenario B99; there are B1, B7.fire');
  });

  it('runs once without a warm-up when it is quick', () => {
    expect(benchOptions(['--quick'], ALL).rounds).toEqual({ measured: 1, warmUps: 0 });
  });

  it.each(['0', '-1', 'many', '1.5'])('refuses %s rounds', (rounds) => {
    expect(() => benchOptions([`--rounds=${rounds}`], ALL)).toThrow('at least 1');
  });

  it.each([['--quick'], ['--scenario', 'B1']])('writes no docs from a part of the figures: %s', (...part) => {
    expect(() => benchOptions(['--write-docs', ...part], ALL)).toThrow('--write-docs needs all scenarios at full size');
  });
});
