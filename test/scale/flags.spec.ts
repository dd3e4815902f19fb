import { describe, expect, it } from '@jest/globals';
import { FlagError, parseFlags } from './flags.js';

const parse = (...args: string[]) => parseFlags(args, ['virtual', 'keyed'], 77);

describe('the command line of the scale runs', () => {
  it('runs every part in full with a random seed unless told otherwise', () => {
    expect(parse()).toEqual({ seed: 77, parts: [], quick: false, help: false, writeDocs: false, json: undefined });
    expect(parse('--part', 'keyed', '--seed', '5', '--quick')).toMatchObject({
      seed: 5,
      parts: ['keyed'],
      quick: true,
    });
  });

  it.each([
    [['--part', 'other'], 'unknown part other'],
    [['--seed', '-1'], '--seed'],
    [['--seed', 'x'], '--seed'],
    [['--quick', '--write-docs'], 'proves nothing'],
    [['--nonsense'], '--nonsense'],
  ])('refuses %j', (args, words) => {
    expect(() => parse(...args)).toThrow(FlagError);
    expect(() => parse(...args)).toThrow(words);
  });
});
