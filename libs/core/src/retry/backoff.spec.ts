import { jest } from '@jest/globals';
import { DEFAULT_DELAY_LEVELS, delayLevels } from '../delay/delay-levels.js';
import { InvalidOptionError } from '../errors.js';
import { backoffOf, dependable, type Backoff } from './backoff.js';

class Busy extends Error {}
class VeryBusy extends Busy {}

const waits = (backoff: Backoff, attempts: number): number[] => {
  const wait = backoffOf(backoff);
  return Array.from({ length: attempts }, (_, index) => wait(index + 1, new Error('x')));
};

afterEach(() => jest.restoreAllMocks());

describe('back-off', () => {
  it('ladder waits 10s 30s 1m to 10m 20m 30m 1h 2h, and 2h from then on', () => {
    const minutes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 60, 120, 120, 120];
    expect(waits('ladder', 18)).toEqual([10_000, 30_000, ...minutes.map((minute) => minute * 60_000)]);
  });

  it('ladder climbs the delay table of the module', () => {
    const wait = backoffOf('ladder', delayLevels(['1s', '2s', '3s', '4s']));
    expect([1, 2, 3].map((attempt) => wait(attempt, undefined))).toEqual([3000, 4000, 4000]);
  });

  it('fixed waits the same each time', () => {
    expect(waits({ type: 'fixed', delay: '7s' }, 3)).toEqual([7000, 7000, 7000]);
  });

  it('exponential begins with 5s, doubles, and is capped at 2h', () => {
    const expected = [5000, 10_000, 20_000, 40_000];
    expect(waits({ type: 'exponential' }, 4)).toEqual(expected);
    expect(waits({ type: 'exponential' }, 5000).at(-1)).toBe(7_200_000);
  });

  it('exponential takes its own delay, factor and cap', () => {
    expect(waits({ type: 'exponential', delay: '1s', factor: 3, cap: '20s' }, 4)).toEqual([1000, 3000, 9000, 20_000]);
    expect(waits({ type: 'exponential', delay: 0 }, 2000).at(-1)).toBe(0);
  });

  it('exponential takes up to the share of jitter off the wait, never adds to it', () => {
    const random = jest.spyOn(Math, 'random');
    random.mockReturnValue(0);
    expect(waits({ type: 'exponential', delay: 1000, jitter: 0.5 }, 1)).toEqual([1000]);
    random.mockReturnValue(1);
    expect(waits({ type: 'exponential', delay: 1000, jitter: 0.5 }, 1)).toEqual([500]);
    expect(waits({ type: 'exponential', delay: 1000, jitter: 1 }, 1)).toEqual([0]);
  });

  it('by error follows the first class that fits, and otherwise the rest', () => {
    const wait = backoffOf({
      byError: [
        [VeryBusy, { type: 'fixed', delay: '1m' }],
        [Busy, { type: 'exponential', delay: '1s' }],
      ],
      otherwise: 'ladder',
    });
    expect(wait(3, new VeryBusy())).toBe(60_000);
    expect(wait(3, new Busy())).toBe(4000);
    expect(wait(3, new Error('x'))).toBe(60_000);
    expect(wait(1, 'no error at all')).toBe(10_000);
  });

  it('by function gets the failed attempt and its error, and may answer with any duration', () => {
    const error = new Error('x');
    const seen: unknown[] = [];
    const wait = backoffOf((attempt, cause) => {
      seen.push(attempt, cause);
      return '3s';
    });
    expect(wait(2, error)).toBe(3000);
    expect(seen).toEqual([2, error]);
  });

  it.each<[string, () => never | number | string]>([
    ['throws', () => JSON.parse('{')],
    ['returns NaN', () => NaN],
    ['returns a negative number', () => -5],
    ['returns nothing', () => undefined as never],
    ['returns infinity', () => Infinity],
  ])('by a function that %s falls back to the ladder and says so', (_, backoff) => {
    const problems: unknown[] = [];
    const wait = dependable(backoffOf(backoff), DEFAULT_DELAY_LEVELS, (problem) => problems.push(problem));
    expect(wait(1, new Error('x'))).toBe(10_000);
    expect(problems).toHaveLength(1);
  });

  it.each<[unknown, string]>([
    ['stairs', 'listener.backoff'],
    [null, 'listener.backoff'],
    [{ type: 'fixed' }, 'listener.backoff.delay'],
    [{ type: 'fixed', delay: '1s', dealy: 1 }, 'listener.backoff.dealy'],
    [{ type: 'exponential', factor: 0 }, 'listener.backoff.factor'],
    [{ type: 'exponential', jitter: 2 }, 'listener.backoff.jitter'],
    [{ type: 'linear' }, 'listener.backoff.type'],
    [{ byError: [[() => 1, 'ladder']], otherwise: 'ladder' }, 'listener.backoff.byError'],
    [{ byError: [[Busy, 'stairs']], otherwise: 'ladder' }, 'listener.backoff.byError[0]'],
    [{ byError: [] }, 'listener.backoff.otherwise'],
  ])('%o is refused, naming %s', (backoff, option) => {
    expect(() => backoffOf(backoff as Backoff)).toThrow(InvalidOptionError);
    expect(() => backoffOf(backoff as Backoff)).toThrow(expect.objectContaining({ option }));
  });
});
