import { beforeEach, describe, expect, it } from '@jest/globals';
import { Chain, type Chained } from './chain.js';

class Member implements Chained<Member> {
  chain?: Chain<Member>;
  before?: Member;
  after?: Member;
  constructor(readonly name: string) {}
}

describe('Chain', () => {
  let chain: Chain<Member>;
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Member(name)) as [Member, Member, Member];
  const names = (): string[] => [...chain].map(({ name }) => name);

  beforeEach(() => {
    chain = new Chain();
    for (const member of [a, b, c]) {
      member.chain?.delete(member);
      chain.add(member);
    }
  });

  it('keeps the order in which members came', () => {
    expect([names(), chain.size, chain.first]).toEqual([['a', 'b', 'c'], 3, a]);
  });

  it('lets members leave from anywhere, and come again at the end', () => {
    for (const [gone, left] of [
      [b, ['a', 'c']],
      [a, ['c']],
      [c, []],
    ] as const) {
      expect(chain.delete(gone)).toBe(true);
      expect([names(), chain.size]).toEqual([left, left.length]);
    }
    for (const member of [c, a]) chain.add(member);
    expect([names(), chain.first]).toEqual([['c', 'a'], c]);
  });

  it('counts a member once, and knows when it has none of that name', () => {
    chain.add(a);
    expect([names(), chain.size]).toEqual([['a', 'b', 'c'], 3]);
    expect([chain.delete(a), chain.delete(a), new Chain<Member>().delete(b), chain.size]).toEqual([
      true,
      false,
      false,
      2,
    ]);
  });

  it('can be gone through while the member at hand is deleted', () => {
    for (const member of chain) if (member !== b) chain.delete(member);
    expect(names()).toEqual(['b']);
  });

  it('leaves nothing of a neighbour on a member that is gone', () => {
    chain.clear();
    for (const member of [a, b, c])
      expect([member.chain, member.before, member.after]).toEqual([undefined, undefined, undefined]);
    expect([names(), chain.size, chain.first]).toEqual([[], 0, undefined]);
  });
});
