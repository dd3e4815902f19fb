// A message that waits for its due time, as operators see it.
import type { StoredMessage } from '../message/message.js';
import type { MessageRef } from '../producer/receipt.js';

/** A message that waits, without its body. */
export interface ScheduledMessage {
  readonly messageId: string;
  readonly topic: string;
  /** By the broker's clock. */
  readonly dueAt: Date;
  readonly tag?: string;
  readonly orderingKey?: string;
  readonly keys: readonly string[];
  readonly idempotencyKey?: string;
  /** What `producer.cancel` and `producer.reschedule` take. */
  readonly ref: MessageRef;
}

/** With the message as it is stored; `decodeMessage` reads it. */
export interface ScheduledDetails extends ScheduledMessage {
  readonly message: StoredMessage;
}
