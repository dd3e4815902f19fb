// The port behind transactional messages. Every call is one atomic step in the store; a lost reply changes no answer.
import type { OutgoingMessage } from '../message/message.js';
import type { SendResult } from '../producer/receipt.js';
import type { HalfAnswer, HalfChecks, HalfRef } from './half-message.js';

/** Whose half message it is, and when he is asked first. */
export interface HalfOwner {
  readonly producerGroup: string;
  /** From when it is stored, by the broker's clock. */
  readonly checkAfterMs: number;
}

export interface TakeChecksOptions {
  readonly max: number;
  /** Pause until the same half message is given out again, by the broker's clock. */
  readonly intervalMs: number;
  /** Checks after which it is parked when its next one would be due. */
  readonly maxChecks: number;
}

export interface HalfMessages {
  /**
   * Stores a message that no group sees before its commit. A business key is taken from now on, until the window after the
   * commit has passed; a second send under it gets the first receipt with state `half`. A half message does not count for
   * `maxLength`. Throws nothing: see `Broker.send` for what a result may hold. A message id that is half already: refused
   * as IdempotencyConflictError.
   */
  prepare(message: OutgoingMessage, owner: HalfOwner): Promise<SendResult>;

  /**
   * Puts the message into its queue, behind all that is there, or into the delay store; a delay counts from now. Of several
   * decisions the first one holds: every later call is answered with what it was. `parked`: nothing was done.
   */
  commit(topic: string, ref: HalfRef): Promise<HalfAnswer>;

  /** Removes the message and frees its business key; otherwise as `commit`. */
  rollback(topic: string, ref: HalfRef): Promise<HalfAnswer>;

  /**
   * Gives out half messages of the producer group whose check is due, the longest due first: each to one caller, counted, and
   * not again before the interval. One that was checked `maxChecks` times is parked instead.
   */
  takeChecks(topic: string, producerGroup: string, options: TakeChecksOptions): Promise<HalfChecks>;
}
