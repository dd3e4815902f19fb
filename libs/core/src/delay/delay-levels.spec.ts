import { InvalidOptionError } from '../errors.js';
import { DEFAULT_DELAY_LEVELS, delayLevels, delayOfLevel } from './delay-levels.js';

const seconds = (...values: number[]): number[] => values.map((value) => value * 1000);

describe('delay levels', () => {
  it("are RocketMQ's 18: 1s 5s 10s 30s 1m to 10m 20m 30m 1h 2h", () => {
    const minutes = [60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];
    expect(DEFAULT_DELAY_LEVELS).toEqual(seconds(1, 5, 10, 30, ...minutes));
  });

  it.each([
    [1, 1000],
    [3, 10_000],
    [18, 7_200_000],
  ])('level %i means %i ms', (level, ms) => {
    expect(delayOfLevel(level)).toBe(ms);
  });

  it('mean no delay at 0 and below', () => {
    expect([0, -1, -100].map((level) => delayOfLevel(level))).toEqual([0, 0, 0]);
  });

  it('mean the highest level above the table', () => {
    expect([19, 1000].map((level) => delayOfLevel(level))).toEqual(seconds(7200, 7200));
  });

  it('are positional in a table of the module, however long it is', () => {
    const table = delayLevels(['2s', '1m', '3h', '4d']);
    expect([1, 2, 3, 4, 5].map((level) => delayOfLevel(level, table))).toEqual(
      seconds(2, 60, 10_800, 345_600, 345_600),
    );
  });

  it('refuse an empty table and name a bad entry by its position', () => {
    expect(() => delayLevels([])).toThrow(InvalidOptionError);
    expect(() => delayLevels(['1s', '5 weeks'])).toThrow(expect.objectContaining({ option: 'delayLevels[1]' }));
  });
});
