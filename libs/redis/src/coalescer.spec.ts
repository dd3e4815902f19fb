import { describe, expect, it } from '@jest/globals';
import { Coalescer, type CoalescerOptions } from './coalescer.js';

interface Call {
  items: string[];
  answer(): void;
  fail(error: Error): void;
}

function coalescer(options: Partial<CoalescerOptions<string>> = {}): { of: Coalescer<string, string>; calls: Call[] } {
  const calls: Call[] = [];
  const of = new Coalescer<string, string>(
    { maxItems: 3, maxBytes: 1_000, maxCalls: 2, bytesOf: (item) => item.length, ...options },
    (items) =>
      new Promise((resolve, reject) => {
        calls.push({ items, answer: () => resolve(items.map((item) => `${item}!`)), fail: reject });
      }),
  );
  return { of, calls };
}

/** Lets every microtask that is already queued run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Coalescer', () => {
  it('sends a lone item in the same turn', async () => {
    const { of, calls } = coalescer();
    void of.add('a');
    await Promise.resolve();
    expect(calls.map(({ items }) => items)).toEqual([['a']]);
  });

  it('sends what was added in one turn together, at most maxItems a call', async () => {
    const { of, calls } = coalescer();
    for (const item of ['a', 'b', 'c', 'd']) void of.add(item);
    await turn();
    expect(calls.map(({ items }) => items)).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('gives each item its own result', async () => {
    const { of, calls } = coalescer();
    const results = Promise.all([of.add('a'), of.add('b')]);
    await turn();
    calls[0]!.answer();
    await expect(results).resolves.toEqual(['a!', 'b!']);
  });

  it('keeps at most maxCalls under way and goes on when one ends', async () => {
    const { of, calls } = coalescer({ maxItems: 1 });
    for (const item of ['a', 'b', 'c']) void of.add(item);
    await turn();
    expect(calls).toHaveLength(2);
    calls[0]!.answer();
    await turn();
    expect(calls.map(({ items }) => items[0])).toEqual(['a', 'b', 'c']);
  });

  it('splits by bytes, but sends an item that is larger than the limit alone', async () => {
    const { of, calls } = coalescer({ maxBytes: 4 });
    for (const item of ['aa', 'bb', 'cc', 'dddddddd']) void of.add(item);
    await turn();
    calls[0]!.answer();
    await turn();
    expect(calls.map(({ items }) => items)).toEqual([['aa', 'bb'], ['cc'], ['dddddddd']]);
  });

  it('lets an ordered item wait while an earlier call with one is unresolved, and nothing overtakes it', async () => {
    const { of, calls } = coalescer({ maxItems: 1, ordered: (item) => item.startsWith('o') });
    for (const item of ['o1', 'o2', 'x']) void of.add(item);
    await turn();
    expect(calls.map(({ items }) => items[0])).toEqual(['o1']);
    calls[0]!.answer();
    await turn();
    expect(calls.map(({ items }) => items[0])).toEqual(['o1', 'o2', 'x']);
  });

  it('rejects every item of a failed call and none of another', async () => {
    const { of, calls } = coalescer({ maxItems: 2 });
    const [a, b, c] = [of.add('a'), of.add('b'), of.add('c')].map((result) =>
      result.catch((error: Error) => error.message),
    );
    await turn();
    calls[0]!.fail(new Error('broken'));
    calls[1]!.answer();
    await expect(Promise.all([a, b, c])).resolves.toEqual(['broken', 'broken', 'c!']);
  });

  it('answers a request whose items leave with several calls when the last of these is answered, in its own order', async () => {
    const { of, calls } = coalescer();
    void of.add('x');
    const all = of.addAll(['a', 'b', 'c', 'd']);
    let isAnswered = false;
    void all.then(() => (isAnswered = true));
    await turn();
    expect(calls.map(({ items }) => items)).toEqual([
      ['x', 'a', 'b'],
      ['c', 'd'],
    ]);
    calls[1]!.answer();
    await turn();
    expect(isAnswered).toBe(false);
    calls[0]!.answer();
    await expect(all).resolves.toEqual(['a!', 'b!', 'c!', 'd!']);
  });

  it('keeps the order of requests when one of them has to wait for its turn', async () => {
    const { of, calls } = coalescer({ ordered: (item) => item.startsWith('o') });
    void of.addAll(['o1', 'a']);
    await turn();
    void of.addAll(['b', 'o2', 'c']);
    void of.add('d');
    await turn();
    expect(calls.map(({ items }) => items)).toEqual([['o1', 'a'], ['b']]);
    calls[1]!.answer();
    calls[0]!.answer();
    await turn();
    expect(calls.slice(2).map(({ items }) => items)).toEqual([['o2', 'c', 'd']]);
  });

  it('answers an empty request without a call', async () => {
    const { of, calls } = coalescer();
    await expect(of.addAll([])).resolves.toEqual([]);
    expect(calls).toEqual([]);
  });

  it('rejects a request when one of its calls fails', async () => {
    const { of, calls } = coalescer({ maxItems: 1 });
    const all = of.addAll(['a', 'b']).catch((error: Error) => error.message);
    await turn();
    calls[0]!.answer();
    calls[1]!.fail(new Error('broken'));
    await expect(all).resolves.toBe('broken');
  });

  describe('asked to let a call take along what waits', () => {
    const call = async (items: string[]): Promise<string[]> => items.map((item) => `${item}?`);

    it('lets it go at once, whatever is under way', async () => {
      const { of, calls } = coalescer({ maxCalls: 1 });
      void of.add('a');
      await turn();
      const results = Promise.all([of.add('b'), of.add('c')]);
      await of.takeAlong(() => true, call);
      await expect(results).resolves.toEqual(['b?', 'c?']);
      expect(calls).toHaveLength(1);
    });

    it('takes only what comes first and may go, and no more than fits', async () => {
      const { of } = coalescer({ maxCalls: 0 });
      const taken: string[][] = [];
      for (const item of ['a', 'b', 'c', 'd', 'x', 'e']) void of.add(item);
      const mayGo = (item: string): boolean => item !== 'x';
      const take = (): Promise<void> | undefined => of.takeAlong(mayGo, (items) => (taken.push(items), call(items)));
      await take();
      await take();
      expect(take()).toBeUndefined();
      expect(taken).toEqual([['a', 'b', 'c'], ['d']]);
    });

    it('has nothing to give when nothing waits', () => {
      expect(coalescer().of.takeAlong(() => true, call)).toBeUndefined();
    });

    it('rejects what went along when the call fails', async () => {
      const { of } = coalescer();
      const added = of.add('a').catch((error: Error) => error.message);
      await of.takeAlong(
        () => true,
        () => Promise.reject(new Error('broken')),
      );
      await expect(added).resolves.toBe('broken');
    });
  });
});
