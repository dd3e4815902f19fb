// The port behind dead-letter listeners: which dead letters nobody has been told of.
import type { DeadLetter } from './dead-letter.js';

/** A dead letter that is ours to tell of, until `leaseMs` after it was taken. */
export interface UntoldDeadLetter {
  readonly letter: DeadLetter;
  readonly shard: number;
  /** Proves that it is still ours; `renew` puts another one here. */
  token: string;
}

export interface DeadLetterFeed {
  /**
   * Leases up to `max` dead letters of the group that nobody has been told of. The first call declares that somebody wants
   * to be told: letters that die from then on are kept until told, redriven, purged or expired. The declaration lives for
   * the topic's dead-letter retention (a day at least) after the latest call.
   */
  take(topic: string, group: string, options: { max: number; leaseMs: number }): Promise<UntoldDeadLetter[]>;

  /**
   * Told: it is never given out again, unless the message dies anew. Again: it comes after `delayMs`. `lease-lost` wrote
   * nothing: it was taken by somebody else, died anew, or is gone.
   */
  settle(
    untold: UntoldDeadLetter,
    how: { type: 'told' } | { type: 'again'; delayMs: number },
  ): Promise<'settled' | 'lease-lost'>;

  /** Prolongs the lease from now on; false when it is not ours any more. */
  renew(untold: UntoldDeadLetter, leaseMs: number): Promise<boolean>;
}
