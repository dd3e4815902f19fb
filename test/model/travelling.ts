// A message on its way through one group, and the ways a delivery ends.
import type { DeadLetterReason } from '@millrace/core';

export interface Place {
  readonly shard: number;
  /** Over all shards. */
  readonly queue: number;
}

export interface Travelling {
  readonly id: string;
  readonly orderingKey: string;
  readonly place: Place;
  readonly attempt: number;
  readonly crashes: number;
  readonly generation: number;
  /** When it first became ready for the group; its time to live counts from then. */
  readonly readyAt: number;
}

/** A message that lies in a stream, is leased out of one, or waits with its key. */
export interface Entry {
  message: Travelling;
  /** Lower = became ready earlier. */
  readonly rank: number;
}

export interface Dead extends Travelling {
  readonly reason: DeadLetterReason;
}

/** One hand-over, for as long as somebody may try to settle it. */
export interface HandOver {
  /** Of the entry; of a message of a parked key also which time it was handed out. */
  readonly key: string;
  readonly owner: string;
  /** Ordered mode: of its owner. */
  readonly epoch: number;
}

export type Verdict =
  | { readonly type: 'ack'; readonly skipped?: boolean; readonly expired?: boolean; readonly leadsParked?: boolean }
  | { readonly type: 'retry'; readonly far: boolean }
  | { readonly type: 'release'; readonly far: boolean }
  | { readonly type: 'dead-letter' }
  /** Ordered, with a key. */
  | { readonly type: 'park' }
  | { readonly type: 'follow'; readonly wake?: boolean };

export const later = (message: Travelling): Travelling => ({ ...message, attempt: message.attempt + 1 });
