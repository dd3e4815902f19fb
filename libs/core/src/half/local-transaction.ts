// What a sender gives and gets back.
import type { MqError } from '../errors.js';
import type { SendReceipt } from '../producer/receipt.js';
import type { TransactionDecision } from './half-message.js';

/** What a local transaction is told of its message. */
export interface LocalTransactionContext {
  /** To be kept in the transaction, so that a check can find it. */
  readonly messageId: string;
  readonly topic: string;
}

/** Runs after the half message is stored. A throw means `unknown`: the check-back finds out. */
export type LocalTransaction = (context: LocalTransactionContext) => Promise<TransactionDecision>;

export interface TransactionReceipt extends Omit<SendReceipt, 'state'> {
  /**
   * `accepted` or `scheduled`: committed. `half`: not decided yet, or the decision has not reached the broker; the producer
   * group will be asked. With `duplicate` the local transaction was not run, and this is the state of the first message.
   */
  readonly state: SendReceipt['state'] | 'rolled-back';
  /** Why the decision of the local transaction has not reached the broker; `state` is `half` then. */
  readonly error?: MqError;
}
