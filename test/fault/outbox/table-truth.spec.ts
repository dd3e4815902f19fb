// A checker that finds nothing proves nothing: each kind of violation is planted once, and must be the only one found.
import { describe, expect, it } from '@jest/globals';
import { broken, type Effects } from './table-truth.js';

const CLEAN: Effects = {
  committed: [
    { name: '1/0', key: 7 },
    { name: '2/0', key: 8 },
    { name: '2/1', key: 7 },
    { name: '1/1', key: 0 },
    { name: '1/2', key: 7 },
  ],
  effects: ['1/0', '2/0', '2/1', '1/1', '1/2'].flatMap((name) => [
    { name, group: 0 },
    { name, group: 1 },
  ]),
  groups: [
    { number: 0, ordered: false },
    { number: 1, ordered: true },
  ],
};
const effectsWith = (...of1: string[]): Effects => ({
  ...CLEAN,
  effects: [...CLEAN.effects.filter(({ group }) => group === 0), ...of1.map((name) => ({ name, group: 1 }))],
});

describe('the truth in the tables', () => {
  it('is that a clean run has nothing broken, whatever the order between keys and without a key', () => {
    expect(broken(CLEAN)).toEqual([]);
    expect(broken(effectsWith('1/1', '1/0', '2/1', '1/2', '2/0'))).toEqual([]);
  });

  it.each([
    ['a committed row without an effect', effectsWith('1/0', '2/0', '2/1', '1/2'), '1/1 is committed'],
    [
      'an effect of a transaction that was rolled back',
      effectsWith('1/0', '2/0', '9/9', '2/1', '1/1', '1/2'),
      '9/9 has an effect in group 1, and no committed row',
    ],
    [
      'two effects of a row',
      effectsWith('1/0', '2/0', '2/1', '1/1', '1/2', '1/1'),
      '1/1 has another effect in group 1',
    ],
    [
      'a message that overtook one of its key, written by another process',
      effectsWith('2/1', '2/0', '1/0', '1/1', '1/2'),
      '1/0 has its effect in group 1 after 2/1 of its key',
    ],
  ])('names %s, and nothing else', (_, spoiled, sentence) => {
    expect(broken(spoiled)).toEqual([expect.stringContaining(sentence)]);
  });

  it('does not judge the order of a group that has none', () => {
    const swapped = [...CLEAN.effects.filter(({ group }) => group === 1), { name: '1/2', group: 0 }].concat(
      ['2/1', '1/1', '2/0', '1/0'].map((name) => ({ name, group: 0 })),
    );
    expect(broken({ ...CLEAN, effects: swapped })).toEqual([]);
  });
});
