// The storage port of broadcast mode: reading on behind a place that the reader itself remembers. No group, no lease,
// nothing pending: what a reader has read and not handled yet is known to its process only.
import type { BroadcastPage, BroadcastPosition } from './broadcast-page.js';

/** Who reads: the broadcast listeners of one group on one topic, in one process. */
export interface BroadcastSpec {
  readonly topic: string;
  /** A name for events and metrics; nothing is shared between the instances of a group. */
  readonly group: string;
  /** Where a reader begins that has no kept place. An instant in the future means `last`. */
  readonly startFrom: 'first' | 'last' | Date;
  /** The place is kept under this name, so that a restart of this instance goes on there. */
  readonly instance?: string;
}

export interface BroadcastReadOptions {
  /** About how many entries are wanted; an implementation may exceed it by one read's rounding. */
  readonly max: number;
  /** How long to wait for the first one, in ms; 0 does not wait. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

export interface BroadcastReader {
  /**
   * Says that the topic is read by broadcast (trimming then goes by retention alone while no group is declared) and
   * returns the places to read from, by shard and queue: the kept ones of the instance, else those of `startFrom`.
   * Whatever becomes ready after this call has been answered is behind them.
   */
  open(spec: BroadcastSpec): Promise<readonly (readonly BroadcastPosition[])[]>;

  /**
   * Reads one shard from these places on; leaves no trace in the store. Each entry that is still there comes exactly
   * once to a reader that always goes on with the returned places; entries that are not are reported as gaps. A store
   * that lost its data (FLUSHALL) is read on from what it is given next.
   */
  read(
    spec: BroadcastSpec,
    shard: number,
    positions: readonly BroadcastPosition[],
    options: BroadcastReadOptions,
  ): Promise<BroadcastPage>;

  /** Keeps the places of a shard under the name of the instance, for 24 h. Two who share a name: the later call counts. */
  keep(spec: BroadcastSpec, shard: number, positions: readonly BroadcastPosition[]): Promise<void>;
}

/** How long the place of a named instance outlives its last keep. */
export const KEEP_POSITIONS_MS = 86_400_000;
