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
});
