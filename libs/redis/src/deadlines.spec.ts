import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Deadlines } from './deadlines.js';

describe('deadlines', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const late = (): Error => new Error('late');
  const never = (): Promise<never> => new Promise(() => undefined);

  it('end a call that is not answered, with the next sweep', async () => {
    const ended = new Deadlines().guard(never(), 1000, late).catch((error: Error) => error.message);
    await jest.advanceTimersByTimeAsync(1250);
    expect(await ended).toBe('late');
  });

  it('pass on what was answered in time, and need no timer any more', async () => {
    const deadlines = new Deadlines();
    await expect(deadlines.guard(Promise.resolve(1), 1000, late)).resolves.toBe(1);
    await expect(deadlines.guard(Promise.reject(new Error('refused')), 1000, late)).rejects.toThrow('refused');
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(250);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([
    ['six times in a short silence', 1_500, 250],
    ['every 2.5 s in a long one, so that what has ended does not pile up', 3_600_000, 2_500],
  ])('of reads are swept %s', async (_, silenceMs, sweepMs) => {
    await Deadlines.ofReads(silenceMs).guard(Promise.resolve(1), 1000, late);
    await jest.advanceTimersByTimeAsync(sweepMs - 1);
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(jest.getTimerCount()).toBe(0);
  });
});
