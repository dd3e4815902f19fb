// What a message carries from one delivery to the next, and how it grows. Pure.
import type { FailureRecord, RetryState } from '../consumer/delivery.js';

/** Of a long failure story the beginning and the end are kept: the first cause, and what it became. */
export const OLDEST_KEPT = 4;
export const LATEST_KEPT = 28;

/** State of the next attempt after this one failed. */
export function afterFailure(state: RetryState, failure: FailureRecord): RetryState {
  return { ...withFailure(state, failure), attempt: state.attempt + 1 };
}

/** State after a lease expired with the handler started. It is no failure of the handler, so `attempt` stays. */
export function afterCrash(state: RetryState): RetryState {
  return { ...state, crashes: state.crashes + 1 };
}

/** The same attempt with one more failure in its story: what a dead letter keeps. */
export function withFailure(state: RetryState, failure: FailureRecord): RetryState {
  const failures = [...state.failures];
  const latest = failures.length - 1;
  // Stacks are long: only the first failure's and the latest one's are kept.
  if (latest > 0) failures[latest] = withoutStack(failures[latest]!);
  failures.push(failure);
  const tooMany = failures.length - (OLDEST_KEPT + LATEST_KEPT);
  if (tooMany <= 0) return { ...state, failures };
  failures.splice(OLDEST_KEPT, tooMany);
  return { ...state, failures, failuresLeftOut: (state.failuresLeftOut ?? 0) + tooMany };
}

function withoutStack(failure: FailureRecord): FailureRecord {
  const { attempt, at, durationMs, error, text } = failure;
  return { attempt, at, durationMs, error, text };
}
