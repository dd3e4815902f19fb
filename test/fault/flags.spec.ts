import { describe, expect, it } from '@jest/globals';
import { FlagError, parseFlags } from './flags.js';

const KNOWN = ['T1', 'T5'];
const parse = (...args: string[]) => parseFlags(args, KNOWN, 77);

describe('the command line of the fault runs', () => {
  it('takes a random seed unless it is given one', () => {
    expect([parse().seed, parse('--seed', '5').seed]).toEqual([77, 5]);
  });

  it('has a fixed seed and short scenarios for CI', () => {
    expect(parse('--ci')).toMatchObject({ quick: true, seconds: 5 });
    expect(parse('--ci').seed).toBe(parse('--ci').seed);
    expect(parse('--ci').seed).not.toBe(77);
  });

  it.each([
    [['--scenario', 'T9'], 'unknown scenario T9'],
    [['--seconds', '0'], '--seconds'],
    [['--seed', 'x'], '--seed'],
    [['--soak', '-1'], '--soak'],
    [['--soak', '1', '--scenario', 'T1'], 'alone'],
    [['--nonsense'], '--nonsense'],
  ])('refuses %j', (args, words) => {
    expect(() => parse(...args)).toThrow(FlagError);
    expect(() => parse(...args)).toThrow(words);
  });
});
