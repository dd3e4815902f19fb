// The producer as Nest injects it: core's, typed by the application's `MqTopics`.
import type {
  CancelResult,
  Duration,
  LocalTransaction,
  MessageRef,
  Producer,
  RescheduleResult,
  SendOptions,
  SendReceipt,
  SendResult,
  TransactionOptions,
  TransactionReceipt,
} from '@millrace/core';
import type { MqBody } from './mq-topics.js';

/** One element of `sendAll`, its body typed by its destination. */
export interface MqSendRequest<Destination extends string = string> {
  /** `topic` or `topic:tag`. */
  destination: Destination;
  body: MqBody<Destination>;
  options?: SendOptions;
}

/** Usable from the first provider's constructor on, until the application has shut down; also while listeners drain. */
export class MqProducer {
  constructor(private readonly producer: Producer) {}

  /**
   * Stores one message and resolves with its receipt. Rejects with InvalidOptionError (nothing stored),
   * IdempotencyConflictError, SendUnknownError (its fate is not known), BrokerRefusedError or ClosedError.
   * @param destination `topic` or `topic:tag`
   */
  send<const Destination extends string>(
    destination: Destination,
    body: MqBody<Destination>,
    options?: SendOptions,
  ): Promise<SendReceipt> {
    return this.producer.send(destination, body, options);
  }

  /** One result per message, order kept; a refused message does not refuse its neighbours. */
  sendAll<const Destinations extends readonly string[]>(requests: {
    readonly [Index in keyof Destinations]: MqSendRequest<Destinations[Index]>;
  }): Promise<SendResult[]> {
    return this.producer.sendAll(requests);
  }

  /**
   * Stores a half message, which nobody gets, then runs `transaction` and delivers or removes the message as it says; when
   * nobody says anything, an `@MqTransactionListener` is asked (docs/half-messages.md). Rejects with what `transaction` throws,
   * with MqError `MQ_HALF_PARKED` or `MQ_HALF_SETTLED` when it decides too late, else as `send`: the transaction was not run then.
   */
  sendInTransaction<const Destination extends string>(
    destination: Destination,
    body: MqBody<Destination>,
    transaction: LocalTransaction,
    options?: TransactionOptions,
  ): Promise<TransactionReceipt> {
    return this.producer.sendInTransaction(destination, body, transaction, options);
  }

  /** Removes a message that is still scheduled. The answer is final. */
  cancel(topic: string, ref: MessageRef): Promise<CancelResult> {
    return this.producer.cancel(topic, ref);
  }

  /** Moves the due time of a message that is still scheduled; past instants mean now. Exactly one of the two is given. */
  reschedule(topic: string, ref: MessageRef, due: { delay?: Duration; deliverAt?: Date }): Promise<RescheduleResult> {
    return this.producer.reschedule(topic, ref, due);
  }
}
