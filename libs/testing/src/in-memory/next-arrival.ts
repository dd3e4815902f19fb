// The wait of a reader that found nothing.
import type { Clock } from '@millrace/core';
import type { Arrivals } from './arrivals.js';

/** Resolves at the next arrival, after `ms`, or when one of the signals aborts, whichever is first. */
export async function nextArrival(
  arrivals: Arrivals,
  clock: Clock,
  ms: number,
  ...signals: (AbortSignal | undefined)[]
): Promise<void> {
  const woken = new AbortController();
  const wake = (): void => woken.abort();
  const forget = arrivals.onNext(wake);
  for (const signal of signals) signal?.addEventListener('abort', wake, { once: true });
  try {
    // Whatever comes is announced: the end of the wait may be put off.
    await clock.wait(ms, woken.signal, () => Infinity);
  } finally {
    forget();
    for (const signal of signals) signal?.removeEventListener('abort', wake);
  }
}
