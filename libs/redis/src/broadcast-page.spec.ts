import { describe, expect, it } from '@jest/globals';
import { readQueue } from './broadcast-page.js';
import type { RawEntry } from './entry-codec.js';
import type { StreamLook } from './stream-look.js';

const entry = (id: string): RawEntry => [Buffer.from(id), ['id\n\n0\n{}', 'x'].map((field) => Buffer.from(field))];

/** A stream whose entries have the ids `<ms>-0`, as a reader behind `after` sees it. */
function look(
  ids: readonly number[],
  after: number,
  { removed = 0, max = 100, last = ids.at(-1) ?? 0 } = {},
): StreamLook {
  const entries = ids.filter((id) => id > after).slice(0, max);
  return {
    entries: entries.map((id) => entry(`${id}-0`)),
    added: removed + ids.length,
    removed,
    first: `${ids[0] ?? 0}-0`,
    last: `${last}-0`,
  };
}

describe('what one look at a stream means for a broadcast reader', () => {
  it('entries come with the place before each, and the place behind them is counted', () => {
    const page = readQueue(2, { after: '10-0', seen: 1 }, look([10, 11, 12, 13], 10, { max: 2 }));
    expect(page.entries).toMatchObject([
      { queue: 2, entryId: '11-0', before: { after: '10-0', seen: 1 } },
      { queue: 2, entryId: '12-0', before: { after: '11-0', seen: 2 } },
    ]);
    expect(page).toMatchObject({ position: { after: '12-0', seen: 3 }, gap: undefined });
  });

  it('what was read and trimmed is no gap, however the ids lie', () => {
    expect(readQueue(0, { after: '12-0', seen: 3 }, look([20], 12, { removed: 3 })).gap).toBeUndefined();
  });

  it('what was trimmed unread is a gap, counted to the entry', () => {
    const page = readQueue(0, { after: '12-0', seen: 3 }, look([20, 21, 22], 12, { removed: 5, max: 1 }));
    expect(page).toMatchObject({ gap: { queue: 0, missed: 2 }, position: { after: '20-0', seen: 6 } });
  });

  it('a stream that was emptied is a gap of all that was not read', () => {
    const page = readQueue(0, { after: '12-0', seen: 3 }, look([], 12, { removed: 9, last: 30 }));
    expect(page).toMatchObject({ entries: [], gap: { missed: 6 }, position: { after: '30-0', seen: 9 } });
  });

  it('a place whose count is not known reports a gap without a number, and is counted from there', () => {
    const page = readQueue(0, { after: '12-5' }, look([20, 21, 22], 12, { removed: 5, max: 2 }));
    expect(page).toMatchObject({ gap: { queue: 0 }, position: { after: '21-0', seen: 7 } });
    expect(page.gap!.missed).toBeUndefined();
  });

  it('a place whose count is not known is counted when the end of the stream is reached', () => {
    const page = readQueue(0, { after: '10-5' }, look([10, 11, 12], 10, { removed: 4 }));
    expect(page).toMatchObject({ position: { after: '12-0', seen: 7 }, gap: undefined });
  });

  it('a stream that is gone (FLUSHALL) leaves the place where it is', () => {
    const page = readQueue(0, { after: '12-0', seen: 3 }, look([], 12));
    expect(page).toEqual({ entries: [], position: { after: '12-0', seen: 3 } });
  });

  it.each([1, 5, 50])('after FLUSHALL what is added anew, %i entries, is read once and without a gap', (count) => {
    let position = { after: '12-0', seen: 5 } as { after: string; seen?: number };
    const ids = Array.from({ length: count }, (_, index) => 20 + index);
    const read: string[] = [];
    for (let round = 0; round < 60; round++) {
      const page = readQueue(0, position, look(ids, Number.parseInt(position.after, 10), { max: 4 }));
      expect(page.gap).toBeUndefined();
      read.push(...page.entries.map(({ entryId }) => entryId));
      ({ position } = page);
    }
    expect(read).toEqual(ids.map((id) => `${id}-0`));
    expect(position).toEqual({ after: `${ids.at(-1)}-0`, seen: count });
  });

  it('a store that knows less than it told is read on from its end, and the unknown loss is reported', () => {
    const page = readQueue(0, { after: '30-0', seen: 9 }, look([10, 11], 30));
    expect(page).toEqual({ entries: [], position: { after: '11-0', seen: 2 }, gap: { queue: 0 } });
  });

  it('ids of one millisecond are told apart by their number, also a large one', () => {
    const after = '10-18446744073709551614';
    const page = { entries: [], added: 2, removed: 2, first: '0-0', last: '10-18446744073709551615' };
    expect(readQueue(0, { after, seen: 1 }, page)).toMatchObject({ gap: { missed: 1 } });
    expect(readQueue(0, { after: page.last, seen: 2 }, { ...page, last: after }).gap).toEqual({ queue: 0 });
  });
});
