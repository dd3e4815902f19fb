import { toMs } from './duration.js';
import { InvalidOptionError } from './errors.js';

describe('duration', () => {
  it.each<[number | string, number]>([
    [0, 0],
    [1500.4, 1500],
    ['500ms', 500],
    ['30s', 30_000],
    [' 1.5 m ', 90_000],
    ['2h', 7_200_000],
    ['365d', 31_536_000_000],
  ])('%p is %i ms', (duration, ms) => {
    expect(toMs('x', duration)).toBe(ms);
  });

  it.each(['', '5', '5 weeks', '-1s', '1e3s', -1, NaN, Infinity, null, undefined, {}])('%p is refused', (duration) => {
    expect(() => toMs('send.delay', duration)).toThrow(InvalidOptionError);
    expect(() => toMs('send.delay', duration)).toThrow('send.delay: a duration is');
  });
});
