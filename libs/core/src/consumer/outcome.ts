// What a listener may say by returning it. Anything else it returns means done; throwing means retry.
import { toMs, type Duration } from '../duration.js';

/** Deliver again after `delay`; counts as an attempt, like a thrown error, but with the listener's own delay. */
export class RetryLater {
  constructor(
    readonly delayMs: number,
    readonly why?: string,
  ) {}
}

/** Dead-letter now, without further attempts. */
export class Rejection {
  constructor(readonly why: string) {}
}

/** Not now, and not a failure: nothing is counted. Used by middleware (pause, rate limit, busy inbox). */
export class HandBack {
  constructor(readonly delayMs: number) {}
}

/** An idempotent listener's key is done: nothing of the listener was run. The engine's own; no handler returns it. */
export class AlreadyDone {
  constructor(
    /** Message that did it: an earlier delivery of this one, or another one with its key. */
    readonly doneBy: string,
    /** What its handler returned, if that was kept. */
    readonly result: unknown,
  ) {}
}

/** `return retryLater('30s')` from a listener. Throws InvalidOptionError for a bad duration. */
export function retryLater(delay: Duration, why?: string): RetryLater {
  return new RetryLater(toMs('retryLater.delay', delay), why);
}

/** `return deadLetter('card number is malformed')` from a listener. */
export function deadLetter(why: string): Rejection {
  return new Rejection(why);
}

/** `return handBack('1s')` from a middleware or listener: again later, nothing counted. */
export function handBack(delay: Duration): HandBack {
  return new HandBack(toMs('handBack.delay', delay));
}

/**
 * Thrown (by pipelines around a handler) when a message can never be handled: validation or guard refused it before the
 * handler was entered. It becomes a dead letter at once with reason `invalid`.
 */
export class InvalidMessageError extends Error {
  override readonly name = 'InvalidMessageError';
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
