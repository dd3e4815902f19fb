// The only way the engine asks for time or waits, so that tests can own both.

/** @param isLeased whether anybody holds a delivery now */
export type LatestEnd = (isLeased: boolean) => number;

export interface Clock {
  /** Unix ms. */
  now(): number;
  /** Ms that never go back; for leases and durations. */
  monotonic(): number;
  /**
   * Resolves after `ms`, or at once when the signal aborts; never rejects. Does not keep the process alive alone.
   * @param latest for waits that only lead to a look at what nobody may have changed: monotonic ms until which a clock of
   *   tests may put the end off, asked when it is about to move. The system clock never does.
   */
  wait(ms: number, signal?: AbortSignal, latest?: LatestEnd): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      // setTimeout overflows to 1 ms above 2^31 - 1: longer waits are cut, callers look again.
      const timer = setTimeout(end, Math.min(ms, 2_147_483_647)).unref();
      signal?.addEventListener('abort', end, { once: true });
    }),
};
