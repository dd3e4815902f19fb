// The option `idempotent` of a listener: documentation, defaults and check.
import { toMs, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import type { Message } from '../message/message.js';
import { checkOptions } from '../option-check.js';

export interface IdempotentOptions {
  /**
   * What must happen once, as text; within the group. Messages with one key count as one, whichever tag, queue or
   * listener of the group they have. Must be a pure function of the message; when it throws or returns no text, the
   * message is a dead letter (`invalid`). @default the message's idempotency key in the scope of its ordering key, else
   * its message id
   */
  key?: (message: Message) => string;
  /** How long a key that is done is remembered, from 1s to 365d. @default '24h' */
  ttl?: Duration;
}

/** `IdempotentOptions` checked and completed. */
export interface IdempotentSpec {
  readonly key?: (message: Message) => string;
  readonly ttlMs: number;
}

export const IDEMPOTENT_DEFAULTS = { ttl: '24h' } as const satisfies IdempotentOptions;

const LONGEST_TTL_MS = 365 * 86_400_000;

/** Undefined when it is off. Throws InvalidOptionError. */
export function checkIdempotent(given: unknown, mode: string): IdempotentSpec | undefined {
  const option = 'listener.idempotent';
  if (given === undefined || given === false) return undefined;
  if (given !== true) checkOptions(option, given, ['key', 'ttl']);
  if (mode === 'broadcast') throw new InvalidOptionError(option, given, 'has no meaning in broadcast mode');
  const { key, ttl = IDEMPOTENT_DEFAULTS.ttl } =
    given === true ? ({} as IdempotentOptions) : (given as IdempotentOptions);
  if (key !== undefined && typeof key !== 'function')
    throw new InvalidOptionError(`${option}.key`, key, 'must be a function of the message that returns text');
  const ttlMs = toMs(`${option}.ttl`, ttl);
  if (ttlMs < 1000 || ttlMs > LONGEST_TTL_MS)
    throw new InvalidOptionError(`${option}.ttl`, ttl, 'must be from 1s to 365d');
  return { key, ttlMs };
}
