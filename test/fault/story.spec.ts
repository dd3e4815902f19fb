import { describe, expect, it } from '@jest/globals';
import { faultEvent } from './history/fault-event.js';
import { stories } from './story.js';

const at = (ms: number, producer: number, n: number) => ({ ...faultEvent('ok', { at: ms, producer, n }), process: 3 });

describe('the story of a message', () => {
  it('is told for messages that an example names, with what happened to processes meanwhile', () => {
    const died = { ...faultEvent('died', { at: 1_500, run: 7 }), process: 0 };
    const history = [at(1_000, 1, 5), died, at(2_000, 1, 6), at(3_000, 1, 5)];
    expect(stories(['lost: 1/5 in group billing: acknowledged and not handled'], history)).toEqual([
      '1/5: 0.000 ok in 3 · 0.500 process 7 died · 2.000 ok in 3',
    ]);
  });

  it('is not told when nothing is wrong', () => {
    expect(stories([], [at(1_000, 1, 5)])).toEqual([]);
  });
});
