// What a broadcast read brings, and the places between entries that a reader remembers.
import type { StoredMessage } from '../message/message.js';

/** A place in one queue: between the last entry that was read and the next one. */
export interface BroadcastPosition {
  /** Id of the entry behind which to read on. */
  readonly after: string;
  /** How many entries the queue had ever been given up to here; undefined while that is not known. */
  readonly seen?: number;
}

export interface BroadcastEntry {
  /** Queue inside the shard. */
  readonly queue: number;
  readonly entryId: string;
  /** When it became ready; Unix ms of the broker's clock. */
  readonly readyAt: number;
  readonly message: StoredMessage;
  /** The place just before this entry: reading from there brings it again. */
  readonly before: BroadcastPosition;
}

/** Entries went unseen: trimmed before this reader came to them, or lost by the server. */
export interface BroadcastGap {
  readonly queue: number;
  /** How many; undefined when that cannot be told. */
  readonly missed?: number;
}

export interface BroadcastPage {
  /** In the order of each queue. */
  readonly entries: readonly BroadcastEntry[];
  /** The place behind them, by queue. */
  readonly positions: readonly BroadcastPosition[];
  readonly gaps: readonly BroadcastGap[];
}
