// Options of the relay: documentation, defaults and validation in one place.
import { checkInteger, checkOptions, InvalidOptionError, toMs, type Duration } from '@millrace/core';

export interface RelayOptions {
  /**
   * Longest time a committed row waits when neither a wake-up of this process nor a notification comes. @default '1s'
   */
  pollInterval?: Duration;
  /** Rows locked and sent at a time. @default 500 */
  batchSize?: number;
  /**
   * Refusals by the broker before a row is parked; times when the broker cannot be reached do not count. @default 10
   */
  maxAttempts?: number;
  /** First wait after a refusal; doubles each time. @default '1s' */
  backoff?: Duration;
  /** Longest wait after a refusal. @default '1m' */
  maxBackoff?: Duration;
  /**
   * How long rows stay in the table after they were sent; 0 deletes them in the transaction that sends them. @default 0
   */
  keepSent?: Duration;
  /**
   * Whether to hold a connection for notifications of other processes' commits, where the database has them. @default
   * true
   */
  listen?: boolean;
}

/** `RelayOptions` checked and completed. */
export interface RelaySpec {
  readonly pollMs: number;
  readonly batchSize: number;
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly keepSentMs: number;
  readonly listen: boolean;
}

export const RELAY_DEFAULTS = {
  pollInterval: '1s',
  batchSize: 500,
  maxAttempts: 10,
  backoff: '1s',
  maxBackoff: '1m',
  keepSent: 0,
  listen: true,
} as const satisfies Required<RelayOptions>;

/** Throws InvalidOptionError. */
export function relaySpec(options: RelayOptions = {}): RelaySpec {
  checkOptions('relay', options, Object.keys(RELAY_DEFAULTS));
  const listen = options.listen ?? RELAY_DEFAULTS.listen;
  if (typeof listen !== 'boolean') throw new InvalidOptionError('relay.listen', listen, 'must be true or false');
  const pollMs = toMs('relay.pollInterval', options.pollInterval ?? RELAY_DEFAULTS.pollInterval);
  if (pollMs < 10) throw new InvalidOptionError('relay.pollInterval', options.pollInterval, 'must be at least 10ms');
  return {
    pollMs,
    batchSize: checkInteger('relay.batchSize', options.batchSize ?? RELAY_DEFAULTS.batchSize, 1, 10_000),
    maxAttempts: checkInteger('relay.maxAttempts', options.maxAttempts ?? RELAY_DEFAULTS.maxAttempts, 1, 10_000),
    backoffMs: toMs('relay.backoff', options.backoff ?? RELAY_DEFAULTS.backoff),
    maxBackoffMs: toMs('relay.maxBackoff', options.maxBackoff ?? RELAY_DEFAULTS.maxBackoff),
    keepSentMs: toMs('relay.keepSent', options.keepSent ?? RELAY_DEFAULTS.keepSent),
    listen,
  };
}

/** Wait before a row that was refused `attempts` times is sent again, in ms. */
export function backoffAfter(attempts: number, { backoffMs, maxBackoffMs }: RelaySpec): number {
  return Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(attempts - 1, 40));
}
