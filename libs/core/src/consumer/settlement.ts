// The one place that decides the fate of a delivery: what happened + counts + policy → settlement. Pure.
//
//   no listener for its tag ........................ ack, skipped; or release after delay, when its tag is another member's
//   about to start, time to live over .............. dead letter `expired` (without running), or dropped
//   about to start, crashes spent .................. exhausted: dead letter `crashes-exhausted` (without running)
//   returned deadLetter(why) ....................... dead letter `rejected`
//   returned handBack(delay) ....................... release after delay, nothing counted
//   returned retryLater(delay) ..................... retry after delay, or exhausted when attempts are spent
//   an idempotent listener's key is done ............ ack, duplicate
//   returned anything else ......................... ack
//   threw InvalidMessageError ...................... dead letter `invalid`
//   threw UndecodableMessageError .................. dead letter `undecodable`
//   threw an instance of a noRetry class ........... dead letter `no-retry`
//   threw anything else ............................ retry after the back-off, or exhausted when attempts are spent
//
// Exhausted: a dead letter, or with `onExhausted: 'park'` its key waits for an operator.
//
// What a handler may return, it may throw too.
import { UndecodableMessageError } from '../errors.js';
import type { BackoffFunction } from '../retry/backoff.js';
import type { ErrorClass } from '../retry/error-class.js';
import { boundedText, failureRecord, MAX_TEXT_BYTES } from '../retry/failure-record.js';
import { afterFailure, withFailure } from '../retry/retry-state.js';
import type { DeadLetterReason, ParkReason, RetryState, Settlement } from './delivery.js';
import { AlreadyDone, HandBack, InvalidMessageError, Rejection, RetryLater } from './outcome.js';

/** How a run of the handler ended. */
export type HandlerResult = (
  | { readonly type: 'returned'; readonly value: unknown }
  | { readonly type: 'threw'; readonly error: unknown }
) & {
  /** When it ended, Unix ms. */
  readonly at: number;
  readonly durationMs: number;
};

/** Its time to live was over before a handler was there for it. */
export interface Expired {
  readonly type: 'expired';
  readonly ttlMs: number;
  /** How long it had been ready. */
  readonly ageMs: number;
}

export type Happened = { readonly type: 'unmatched-tag' } | { readonly type: 'starting' } | Expired | HandlerResult;

/** The part of a listener's options that decides; `backoff` must not throw. */
export interface SettlementPolicy {
  readonly maxAttempts: number;
  readonly maxCrashes: number;
  readonly noRetry: readonly ErrorClass[];
  readonly onExpired: 'dead-letter' | 'drop';
  readonly backoff: BackoffFunction;
  readonly onExhausted: 'dead-letter' | 'park';
}

export const ACK: Settlement = { type: 'ack' };
export const SKIP: Settlement = { type: 'ack', skipped: true };
export const EXPIRED: Settlement = { type: 'ack', expired: true };
/** Back to the group at once, uncounted: what did not start before a shutdown. */
export const RELEASE: Settlement = { type: 'release', delayMs: 0 };
/** Another member of the group registered its tag: offered again after a while, uncounted. */
export const leaveToOthers = (delayMs: number): Settlement => ({ type: 'release', delayMs });

/** Nothing waits longer than this, whatever a back-off function or `retryLater` asks for. */
const MAX_DELAY_MS = 365 * 86_400_000;

/**
 * Undefined only for `starting`: run it.
 * @param maxAttempts the message's own limit; wins over the policy's
 */
export function settlementOf(
  happened: { readonly type: 'starting' },
  state: RetryState,
  policy: SettlementPolicy,
): Settlement | undefined;
export function settlementOf(
  happened: { readonly type: 'unmatched-tag' } | Expired | HandlerResult,
  state: RetryState,
  policy: SettlementPolicy,
  maxAttempts?: number,
): Settlement;
export function settlementOf(
  happened: Happened,
  state: RetryState,
  policy: SettlementPolicy,
  maxAttempts = policy.maxAttempts,
): Settlement | undefined {
  if (happened.type === 'unmatched-tag') return SKIP;
  if (happened.type === 'starting') return crashesSpent(state, policy);
  if (happened.type === 'expired') return expired(happened, state, policy);
  const outcome = happened.type === 'returned' ? happened.value : happened.error;
  if (outcome instanceof HandBack) return { type: 'release', delayMs: bounded(outcome.delayMs) };
  if (outcome instanceof AlreadyDone)
    return { type: 'ack', duplicate: { doneBy: outcome.doneBy, result: outcome.result } };
  const isFailure = happened.type === 'threw' || outcome instanceof Rejection || outcome instanceof RetryLater;
  if (!isFailure) return ACK;
  const { reason, text } = finalReason(outcome, policy);
  const failure = {
    ...failureRecord(outcome, state.attempt, happened.at, happened.durationMs),
    ...(text === undefined ? {} : { text }),
  };
  if (reason) return { type: 'dead-letter', reason, text: failure.text, state: withFailure(state, failure) };
  if (state.attempt >= maxAttempts)
    return exhausted(policy, 'attempts-exhausted', failure.text, withFailure(state, failure));
  const delayMs = outcome instanceof RetryLater ? outcome.delayMs : policy.backoff(state.attempt, outcome);
  return { type: 'retry', delayMs: bounded(delayMs), state: afterFailure(state, failure) };
}

function expired({ ttlMs, ageMs }: Expired, state: RetryState, { onExpired }: SettlementPolicy): Settlement {
  if (onExpired === 'drop') return EXPIRED;
  const text = `its time to live of ${ttlMs} ms was over: it had been ready for ${Math.round(ageMs)} ms`;
  return { type: 'dead-letter', reason: 'expired', text, state };
}

function crashesSpent(state: RetryState, policy: SettlementPolicy): Settlement | undefined {
  if (state.crashes < policy.maxCrashes) return undefined;
  const text = `its lease expired ${state.crashes} times after the handler had started`;
  return exhausted(policy, 'crashes-exhausted', text, state);
}

function exhausted(policy: SettlementPolicy, reason: ParkReason, text: string, state: RetryState): Settlement {
  return { type: policy.onExhausted, reason, text, state };
}

/** Why no further attempt is made, if so; and the user's own words where the outcome carries them. */
function finalReason(outcome: unknown, policy: SettlementPolicy): { reason?: DeadLetterReason; text?: string } {
  if (outcome instanceof Rejection) return { reason: 'rejected', text: words(outcome.why) };
  if (outcome instanceof RetryLater) return { text: words(outcome.why ?? 'the listener asked for a later attempt') };
  if (outcome instanceof InvalidMessageError) return { reason: 'invalid' };
  if (outcome instanceof UndecodableMessageError) return { reason: 'undecodable' };
  if (policy.noRetry.some((type) => outcome instanceof type)) return { reason: 'no-retry' };
  return {};
}

function words(text: unknown): string {
  return boundedText(String(text), MAX_TEXT_BYTES);
}

function bounded(delayMs: number): number {
  // Not a number counts as no delay: `new RetryLater(NaN)` passes no check.
  return delayMs > 0 ? Math.min(MAX_DELAY_MS, Math.round(delayMs)) : 0;
}
