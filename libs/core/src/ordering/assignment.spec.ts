import { assignQueues } from './assignment.js';

const members = (count: number): string[] => Array.from({ length: count }, (_, index) => `host-${index}-4711`);
const ownerOf = (assigned: Map<string, number[]>): Map<number, string> =>
  new Map([...assigned].flatMap(([member, queues]) => queues.map((queue) => [queue, member] as const)));

describe('assignment of queues', () => {
  it.each([
    [4, 1],
    [4, 3],
    [4, 4],
    [3, 7],
    [64, 5],
    [1024, 9],
  ])(
    'of %i queues to %i members gives each queue to exactly one, and to nobody more than one too many',
    (queues, n) => {
      const assigned = assignQueues(queues, members(n));
      const all = [...assigned.values()].flat().toSorted((a, b) => a - b);
      expect(all).toEqual(Array.from({ length: queues }, (_, index) => index));
      for (const owned of assigned.values()) {
        expect(owned.length).toBeGreaterThanOrEqual(Math.floor(queues / n));
        expect(owned.length).toBeLessThanOrEqual(Math.ceil(queues / n));
      }
    },
  );

  it('is the same whatever order the members are named in', () => {
    const inOrder = assignQueues(32, members(5));
    const reversed = assignQueues(32, members(5).toReversed());
    expect(ownerOf(reversed)).toEqual(ownerOf(inOrder));
  });

  it('is nothing without members', () => {
    expect(assignQueues(4, [])).toEqual(new Map());
  });

  it.each([2, 4, 8])('moves few queues when a member joins %i others', (n) => {
    const queues = 256;
    const before = ownerOf(assignQueues(queues, members(n)));
    const after = ownerOf(assignQueues(queues, members(n + 1)));
    const moved = [...after].filter(([queue, member]) => before.get(queue) !== member).length;
    const necessary = Math.floor(queues / (n + 1));
    expect(moved).toBeGreaterThanOrEqual(necessary);
    // The quota may push some queues on; a plain modulo would move nearly all of them.
    expect(moved).toBeLessThanOrEqual(necessary * 2);
  });

  it('moves about 4 of 16 queues when the fourth member joins or one of four leaves', () => {
    const moves = { join: 0, leave: 0 };
    const RUNS = 200;
    for (let run = 0; run < RUNS; run++) {
      const names = members(4).map((name) => `${name}-${run}`);
      const four = ownerOf(assignQueues(16, names));
      const three = ownerOf(assignQueues(16, names.slice(0, 3)));
      const moved = [...four.keys()].filter((queue) => four.get(queue) !== three.get(queue)).length;
      expect(moved).toBeLessThanOrEqual(10);
      moves.join += moved;
      moves.leave += [...three].filter(([queue, member]) => four.get(queue) !== member).length;
    }
    expect(moves.join / RUNS).toBeLessThan(6);
    expect(moves.leave / RUNS).toBeLessThan(6);
  });
});
