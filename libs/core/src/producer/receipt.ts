// What a producer gets back.
import type { IdempotencyConflictError, MqError } from '../errors.js';

export interface SendReceipt {
  readonly messageId: string;
  readonly topic: string;
  /** Queue over all shards, 0-based. */
  readonly queue: number;
  /** The idempotency key was known: this is the first send's receipt, nothing new was stored. */
  readonly duplicate: boolean;
  /** Present state of the message behind a business key; `accepted` for plain sends. `half`: its transaction is not decided. */
  readonly state: 'accepted' | 'scheduled' | 'half';
  /** When it becomes ready, by the broker's clock; only while scheduled. */
  readonly dueAt?: Date;
}

/** One per message of a batch; a refused message does not refuse its neighbours. */
export type SendResult =
  | { readonly ok: true; readonly receipt: SendReceipt }
  | { readonly ok: false; readonly error: MqError | IdempotencyConflictError };

/**
 * Names a scheduled message. With an ordering key, an idempotency key is unique only within that ordering key,
 * so both are needed.
 */
export type MessageRef =
  | { readonly messageId: string }
  | { readonly idempotencyKey: string; readonly orderingKey?: string };

/**
 * `not-found`: nothing is scheduled or recorded under this name. A message sent without idempotency key or explicit
 * id leaves no record once delivered, so for such an id it may also mean "already delivered".
 */
export type CancelResult = 'cancelled' | 'already-delivered' | 'not-found';
export type RescheduleResult = 'rescheduled' | 'already-delivered' | 'not-found';
