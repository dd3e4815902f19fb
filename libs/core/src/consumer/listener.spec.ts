import { InvalidOptionError } from '../errors.js';
import { checkBeside, type Listener } from './listener.js';
import { listenerSpec, type ListenerOptions } from './listener-options.js';

const listener = (name: string, options: Partial<ListenerOptions>): Listener => {
  const spec = listenerSpec({ topic: 'orders', group: 'billing', ...options });
  return { name, spec, handler: async () => undefined };
};

describe('listeners of one group on a topic', () => {
  it('may share it by tags', () => {
    expect(() => checkBeside(listener('B', { tags: 'paid' }), [listener('A', { tags: 'created || x' })])).not.toThrow();
  });

  it.each([
    ['*', '*'],
    ['*', 'paid'],
    ['paid', '*'],
    ['created || paid', 'paid || shipped'],
  ])('may not overlap: %s and %s', (a, b) => {
    const check = (): void => checkBeside(listener('Class.b', { tags: b }), [listener('Class.a', { tags: a })]);
    expect(check).toThrow(InvalidOptionError);
    expect(check).toThrow('Class.a and Class.b');
  });

  it.each<[string, Partial<ListenerOptions>]>([
    ['listener.mode', { mode: 'ordered' }],
    ['listener.lease', { lease: '10s' }],
    ['listener.mode', { mode: 'broadcast' }],
  ])('may not contradict each other in %s', (option, differing) => {
    const check = (): void => {
      checkBeside(listener('Class.b', { tags: 'b', ...differing }), [listener('Class.a', { tags: 'a' })]);
    };
    expect(check).toThrow(expect.objectContaining({ option }));
    expect(check).toThrow('Class.a and Class.b');
  });
});

describe('listener options', () => {
  it.each<[unknown, string]>([
    [{ topic: 'orders', group: 'g', concurency: 5 }, "did you mean 'concurrency'"],
    [{ topic: 'orders', group: 'g', concurrency: 0 }, 'listener.concurrency'],
    [{ topic: 'or ders', group: 'g' }, 'listener.topic'],
    [{ topic: 'orders', group: '' }, 'listener.group'],
    [{ topic: 'orders', group: 'g', tags: 'a |' }, 'listener.tags'],
    [{ topic: 'orders', group: 'g', mode: 'ordered', onExhausted: 'skip' }, 'listener.onExhausted'],
    [{ topic: 'orders', group: 'g', onExhausted: 'park' }, "needs mode 'ordered'"],
    [{ topic: 'orders', group: 'g', mode: 'fanout' }, 'listener.mode'],
    [{ topic: 'orders', group: 'g', mode: 'broadcast', lease: '10s' }, 'listener.lease'],
    [{ topic: 'orders', group: 'g', mode: 'broadcast', maxCrashes: 1 }, 'listener.maxCrashes'],
    [{ topic: 'orders', group: 'g', mode: 'broadcast', instance: '' }, 'listener.instance'],
    [{ topic: 'orders', group: 'g', instance: 'pod-1' }, 'listener.instance'],
    [{ topic: 'orders', group: 'g', noRetry: [(): number => 1] }, 'listener.noRetry'],
    [{ topic: 'orders', group: 'g', lease: '100ms' }, 'listener.lease'],
    [{ topic: 'orders', group: 'g', backoff: { type: 'fixed' } }, 'listener.backoff.delay'],
  ])('%o is refused: %s', (options, text) => {
    expect(() => listenerSpec(options as ListenerOptions)).toThrow(InvalidOptionError);
    expect(() => listenerSpec(options as ListenerOptions)).toThrow(text);
  });

  it('default to 17 attempts up the ladder, 20 at once with 20 ahead, 15 minutes each, a lease of 30 seconds', () => {
    const spec = listenerSpec({ topic: 'orders', group: 'g' });
    expect(spec).toMatchObject({
      maxAttempts: 17,
      maxCrashes: 3,
      concurrency: 20,
      prefetch: 20,
      prefetchGrows: true,
      mode: 'concurrent',
    });
    expect(spec).toMatchObject({ timeoutMs: 900_000, leaseMs: 30_000, startFrom: 'first' });
    expect(spec.backoff(16, undefined)).toBe(7_200_000);
  });

  it('default, when broadcast, to 8 attempts with 1s 2s 4s … 30s between them, from the last message on', () => {
    const spec = listenerSpec({ topic: 'orders', group: 'g', mode: 'broadcast' });
    expect(spec).toMatchObject({ maxAttempts: 8, startFrom: 'last', instance: undefined });
    expect([1, 6].map((attempt) => spec.backoff(attempt, undefined))).toEqual([1000, 30_000]);
  });

  it('default, when ordered, to 8 attempts with 1s 2s 4s … 30s between them', () => {
    const spec = listenerSpec({ topic: 'orders', group: 'g', mode: 'ordered' });
    expect(spec.maxAttempts).toBe(8);
    expect([1, 2, 3, 4, 5, 6, 7].map((attempt) => spec.backoff(attempt, undefined))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ]);
  });
});
