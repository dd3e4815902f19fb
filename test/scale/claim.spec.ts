import { describe, expect, it } from '@jest/globals';
import { holds, line, unfinished } from './claim.js';

const claim = (measured: number, limit = 20) => ({ part: 'keyed', what: 'longest stall', measured, limit, unit: 'ms' });

describe('a claim', () => {
  it.each([
    [19.9, true],
    [20, true],
    [20.1, false],
    [NaN, false],
  ])('of %d against 20: held is %s', (measured, held) => {
    expect(holds(claim(measured))).toBe(held);
    expect(line(claim(measured)).startsWith(held ? 'held' : 'BROKEN')).toBe(true);
  });

  it.each([
    ['a message that came early', 1, 0],
    ['a stall', 25.3, 20],
    ['memory', 334, 300],
    ['cost', 1.31, 1.2],
  ])('is broken by %s above its limit, and the line shows both', (_, measured, limit) => {
    expect(line(claim(measured, limit))).toMatch(
      new RegExp(`^BROKEN keyed: longest stall: ${measured} ms, limit ${limit}`),
    );
  });

  it('is broken when the part came to no end, with what it said', () => {
    const finding = unfinished('keyed', new Error('too late'));
    expect(holds(finding)).toBe(false);
    expect(line(finding)).toContain('too late');
  });
});
