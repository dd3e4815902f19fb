// Waiting for a condition, in the time of whoever is tested: a moved clock or real ms. No other wait is in the suite.
import type { ContractSubject } from './contract-subject.js';

export interface EventuallyOptions {
  /** @default 1400 */
  withinMs?: number;
  /** Time that passes between two looks. @default 10 */
  everyMs?: number;
}

/**
 * Looks until `look` returns something other than undefined or false, and returns that.
 * Throws when it has not by the deadline, with `what` and what was seen last.
 */
export async function eventually<T>(
  subject: Pick<ContractSubject, 'advance' | 'now'>,
  what: string,
  look: () => Promise<T | undefined | false>,
  { withinMs = 1400, everyMs = 10 }: EventuallyOptions = {},
): Promise<T> {
  const deadline = subject.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (subject.now() >= deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await subject.advance(everyMs);
  }
}
