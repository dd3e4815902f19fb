// A parked ordering key of one queue: its messages in their order, and who may have them.
import type { DeadLetterReason, RetryState } from '@millrace/core';
import type { Entry } from './entry-stream.js';
import type { PendingEntry } from './stored-group.js';

/** A message that waits with its key. */
export interface ParkedMessage {
  readonly entry: Entry;
  /** Of two that became ready in one ms, the one from the topic's queue comes first. */
  readonly source: 'queue' | 'retry';
  state: RetryState;
  /** When it first became ready for the group. */
  firstReadyAt: number;
  /** A new owner gives it out alone: while it fails, those behind it would travel in vain. */
  wasTried: boolean;
  reason?: DeadLetterReason;
  text?: string;
}

export type ParkedState =
  | { readonly type: 'waiting'; readonly dueAt: number }
  | { readonly type: 'ready' }
  | { readonly type: 'taken'; readonly epoch: number }
  | { readonly type: 'exhausted' };

export class ParkedKey {
  readonly messages: ParkedMessage[] = [];
  state: ParkedState = { type: 'ready' };
  /** Grows with each hand-over, so that one of before cannot be settled. */
  takes = 0;
  /** What its owner has of it. */
  page = new Map<ParkedMessage, PendingEntry>();

  constructor(
    readonly orderingKey: string,
    readonly since: Date,
  ) {}

  add(message: ParkedMessage): void {
    const after = this.messages.findIndex((other) => isBefore(message, other));
    this.messages.splice(after === -1 ? this.messages.length : after, 0, message);
  }

  remove(message: ParkedMessage): void {
    this.messages.splice(this.messages.indexOf(message), 1);
    this.page.delete(message);
  }
}

function isBefore(a: ParkedMessage, b: ParkedMessage): boolean {
  if (a.entry.readyAt !== b.entry.readyAt) return a.entry.readyAt < b.entry.readyAt;
  return a.source === b.source ? a.entry.position < b.entry.position : a.source === 'queue';
}
