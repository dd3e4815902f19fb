// The part of the operator's port that is about half messages that nobody could decide.
import type { StoredMessage } from '../message/message.js';
import type { ParkedHalf } from './half-message.js';

/** As an operator sees it. */
export interface ParkedHalfMessage extends ParkedHalf {
  readonly topic: string;
  readonly producerGroup: string;
  readonly parkedAt: Date;
  readonly tag?: string;
  readonly keys: readonly string[];
  readonly orderingKey?: string;
  readonly idempotencyKey?: string;
  /** With its body as it was sent; `decodeMessage` reads it. */
  readonly message: StoredMessage;
}

export interface HalfAdmin {
  /** The longest parked first. At most 1000 in a page. */
  parkedHalves(topic: string, page: { offset: number; limit: number }): Promise<ParkedHalfMessage[]>;

  /** Its producer group is asked again, from now on and with a new count of checks; its sender may decide again too. */
  resumeHalf(topic: string, messageId: string): Promise<'resumed' | 'not-parked'>;

  /** As a commit by its sender; a delay counts from now. Only while it is parked. */
  commitHalf(topic: string, messageId: string): Promise<'committed' | 'not-parked'>;

  /** As a rollback by its sender. Only while it is parked. */
  rollbackHalf(topic: string, messageId: string): Promise<'rolled-back' | 'not-parked'>;
}
