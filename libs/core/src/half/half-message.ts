// What a half message is to those who decide about it: stored, invisible to every group, until it is committed.
import type { StoredMessage } from '../message/message.js';

/** What a local transaction, or a check of it, says. Names and meaning are RocketMQ's. */
export type TransactionDecision = 'commit' | 'rollback' | 'unknown';

/** Names a half message of a topic; the routing key says where it lies. */
export interface HalfRef {
  readonly messageId: string;
  readonly routingKey: string;
}

/** A half message whose sender has not decided in time: somebody of its producer group is asked now. */
export interface HalfCheck {
  readonly message: StoredMessage;
  readonly routingKey: string;
  /** Which check this is: 1 is the first. */
  readonly checks: number;
  /** When it was stored, by the broker's clock. */
  readonly since: Date;
}

/** A half message that was asked about in vain; it waits for an operator. */
export interface ParkedHalf {
  readonly messageId: string;
  readonly checks: number;
  readonly since: Date;
}

export interface HalfChecks {
  readonly checks: readonly HalfCheck[];
  /** Parked by this very call: each is told once. */
  readonly parked: readonly ParkedHalf[];
  /** Time until the next check of this producer group, in ms; undefined when none of its half messages waits for one. */
  readonly nextInMs?: number;
}

/**
 * What became of a half message.
 *
 *   half --commit--> committed (for good)     half --rollback--> rolled-back (for good)
 *   half --too many checks--> parked --an operator: resume--> half, or commit, or rollback
 */
export type HalfAnswer =
  | { readonly state: 'committed'; /** Absent: ready at once. */ readonly dueAt?: Date }
  | { readonly state: 'rolled-back' }
  | { readonly state: 'parked' }
  /** It never was, is lost, or was decided longer than `HALF_OUTCOME_MS` ago. */
  | { readonly state: 'not-found' };

/** How long the outcome of a half message is remembered: two who decide about it may be so far apart. */
export const HALF_OUTCOME_MS = 900_000;
