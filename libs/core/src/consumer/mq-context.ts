// What a handler can know of its delivery, and the one thing it can do besides returning: watch its signal.
import type { Message } from '../message/message.js';
import type { FailureRecord } from './delivery.js';

export interface MqContext<T = unknown> {
  readonly message: Message<T>;
  readonly topic: string;
  readonly group: string;
  readonly messageId: string;
  /** 1 = first delivery; grows by failures of the handler only. */
  readonly attempt: number;
  /** How often a started handler died with its process. */
  readonly crashes: number;
  /** How often the message was redriven from the dead letters. */
  readonly generation: number;
  /**
   * Fencing number: grows with each hand-over of this message within the group. A process that slept past its lease
   * still runs this handler while another one does too; store the number with what you write and refuse a smaller one:
   * `UPDATE stock SET …, fence = $1 WHERE id = $2 AND fence <= $1`. Ms of the broker's clock, so it may jump; it grows as
   * long as that clock is not set back by more than a lease.
   */
  readonly fence: number;
  /** Earlier failures of this message in this group, oldest first. */
  readonly failures: readonly FailureRecord[];
  /** Aborted with HandlerTimeoutError, LeaseLostError, or ClosedError when the shutdown time is over. */
  readonly signal: AbortSignal;
  /** Place for middleware to leave things for the handler (the inbox leaves its transaction here). */
  readonly store: Map<unknown, unknown>;
}

/** The user's code, after decoding. Resolves to an outcome (see outcome.ts) or anything else for done. */
export type Handler<T = unknown> = (context: MqContext<T>) => Promise<unknown>;

/** Wraps a handler; the first in the list is the outermost. */
export type Middleware = (context: MqContext, next: () => Promise<unknown>) => Promise<unknown>;
