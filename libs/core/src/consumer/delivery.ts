// A delivery is one hand-over of a message to one group; a settlement is how it ends.
import type { StoredMessage } from '../message/message.js';

/** One failed attempt, as kept on the message and shown on its dead letter. Texts are bounded. */
export interface FailureRecord {
  readonly attempt: number;
  /** Unix ms, the consumer's clock. */
  readonly at: number;
  readonly durationMs: number;
  /** Class name of the error. */
  readonly error: string;
  readonly text: string;
  /** Kept for the first and the latest failure only. */
  readonly stack?: string;
}

/** One change that an operator made to a dead letter. Bounded. */
export interface EditRecord {
  /** Unix ms, the broker's clock. */
  readonly at: number;
  readonly by: string;
  readonly changed: readonly string[];
  readonly note?: string;
}

/** What a message carries between its deliveries to one group. */
export interface RetryState {
  /** Number of the coming (or current) attempt; 1 = first. Grows by handler failures only. */
  readonly attempt: number;
  /** Leases that expired after the handler had started. */
  readonly crashes: number;
  /** How often the message was redriven; 0 = never. */
  readonly generation: number;
  /** Oldest first; the middle is left out when there are many (`failuresLeftOut`). */
  readonly failures: readonly FailureRecord[];
  readonly failuresLeftOut?: number;
  /** What was changed on it while it was a dead letter, oldest first; the latest 16. */
  readonly edits?: readonly EditRecord[];
}

export const FIRST_DELIVERY: RetryState = { attempt: 1, crashes: 0, generation: 0, failures: [] };

export interface Delivery {
  readonly topic: string;
  readonly group: string;
  readonly shard: number;
  /** Queue inside the shard. */
  readonly queue: number;
  /** `retry`: from the group's own retry stream (a retried, released or redriven message); `parked`: of a parked key. */
  readonly source: 'queue' | 'retry' | 'parked';
  /** Names this hand-over inside its source; internal, never shown as message id. */
  readonly entryId: string;
  /** The name the lease is held under. */
  readonly consumer: string;
  /** Ordered mode: epoch of the queue lease under which it was read. */
  readonly epoch?: number;
  readonly state: RetryState;
  readonly message: StoredMessage;
  /**
   * Grows with each hand-over of the message within its group: by the broker's clock, in ms. Whoever writes outside
   * writes it too and refuses a smaller one (docs/retention.md).
   */
  readonly fence: number;
  /** A replay put it back: whoever held it has lost it, even if that was this very consumer. */
  readonly isReplayed?: boolean;
  /** When the message first became ready for this group, Unix ms of the broker's clock; a redrive begins anew. */
  readonly readyAt: number;
  /** Until when the lease is surely ours, on this process's monotonic clock (ms); moved by `renew`. */
  leaseUntil: number;
}

export type DeadLetterReason =
  | 'attempts-exhausted'
  | 'crashes-exhausted'
  | 'no-retry'
  | 'rejected'
  | 'invalid'
  | 'undecodable'
  | 'expired';

/** An idempotent listener's key was done already. */
export interface DoneBefore {
  /** Message that did it. */
  readonly doneBy: string;
  readonly result: unknown;
}

/** Exactly one of these ends a delivery. */
export type Settlement =
  /**
   * Done, or not for this group's tags (`skipped`), or dropped because its time was over (`expired`), or not run because
   * its key was done (`duplicate`; the broker counts it as done). `leadsParked`: it was the one that a `follow` waits for.
   */
  | {
      readonly type: 'ack';
      readonly skipped?: boolean;
      readonly expired?: boolean;
      readonly duplicate?: DoneBefore;
      readonly leadsParked?: boolean;
    }
  /**
   * Again after `delayMs` on the broker's clock, with this state. In ordered mode its key is parked until then: the
   * message keeps its place, and what is behind it waits for it.
   */
  | { readonly type: 'retry'; readonly delayMs: number; readonly state: RetryState }
  /** Not now and not a failure: nothing is counted. In ordered mode its key is parked until then. */
  | { readonly type: 'release'; readonly delayMs: number }
  | {
      readonly type: 'dead-letter';
      readonly reason: DeadLetterReason;
      readonly text?: string;
      readonly state: RetryState;
    }
  /** Ordered mode: retries have ended; its key is parked until an operator resumes or skips it. */
  | { readonly type: 'park'; readonly reason: ParkReason; readonly text?: string; readonly state: RetryState }
  /**
   * Ordered mode: takes its place among the parked messages of its key. Such settlements of one call take effect in
   * their order. A key that was not parked now is: until the delivery of this key that the consumer holds is settled, or
   * (`wake`: it holds none) only until the next read.
   */
  | { readonly type: 'follow'; readonly wake?: boolean };

/** Why a key waits for an operator. */
export type ParkReason = Extract<DeadLetterReason, 'attempts-exhausted' | 'crashes-exhausted'>;

/**
 * `lease-lost`: another consumer owns it now, nothing was written. `wanted`: it was to be skipped, but a member of the
 * group registered its tag; nothing was written, it is still ours.
 */
export type SettleResult = 'settled' | 'lease-lost' | 'wanted';

/** Ordered mode: the right to consume one queue of one group. */
export interface QueueLease {
  readonly topic: string;
  readonly group: string;
  readonly shard: number;
  readonly queue: number;
  readonly member: string;
  /** Grows with every new owner; settlements of an older epoch are refused. */
  readonly epoch: number;
  /** Monotonic ms of this process until which the lease is surely ours. */
  until: number;
}
