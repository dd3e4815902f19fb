import { jest } from '@jest/globals';
import { systemClock } from './clock.js';

describe('system clock', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const isDone = async (wait: Promise<void>): Promise<boolean> => {
    const pending = Symbol('pending');
    return (await Promise.race([wait, Promise.resolve(pending)])) !== pending;
  };

  it('waits for its time', async () => {
    const wait = systemClock.wait(1000);
    await jest.advanceTimersByTimeAsync(999);
    expect(await isDone(wait)).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(await isDone(wait)).toBe(true);
  });

  it('ends a wait when its signal aborts, leaving no timer behind', async () => {
    const controller = new AbortController();
    const wait = systemClock.wait(1000, controller.signal);
    controller.abort();
    await wait;
    expect(jest.getTimerCount()).toBe(0);
    await systemClock.wait(1000, controller.signal);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('cuts waits that a timer cannot take, instead of ending them at once', async () => {
    const controller = new AbortController();
    const wait = systemClock.wait(365 * 86_400_000, controller.signal);
    await jest.advanceTimersByTimeAsync(86_400_000);
    expect(await isDone(wait)).toBe(false);
    controller.abort();
    await wait;
  });

  it('has an instant, and a time that never goes back', () => {
    expect(systemClock.now()).toBe(Date.now());
    const before = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
  });
});
