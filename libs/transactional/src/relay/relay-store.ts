// What the relay needs of the database for rows. All methods but `work` run inside the relay's own transaction: what
// they lock stays locked until it ends, and a relay that dies gives everything back.
import type { SqlExecutor } from '../database/outbox-database.js';
import type { OutboxRow } from '../outbox/outbox-row.js';

/** Which kinds of work are due. */
export interface RelayWork {
  readonly cancellations: boolean;
  readonly ordered: boolean;
  readonly free: boolean;
}

/**
 * A row of an ordering key. Without `row` it cannot be sent now: it is just being cancelled, or waits for the
 * cancellation of an earlier message of its name. Its followers must wait too.
 */
export interface OrderedHead {
  readonly topic: string;
  readonly orderingKey: string;
  readonly row?: OutboxRow;
}

export interface FailedRow {
  readonly seq: string;
  readonly error: string;
  /** Until the next try, in ms. */
  readonly delayMs: number;
}

export interface BatchLimit {
  readonly rows: number;
  /** Of bodies and envelopes; exceeded by at most one row. */
  readonly bytes: number;
}

export interface RelayStore {
  /** A cheap look, outside a transaction. */
  work(sql: SqlExecutor): Promise<RelayWork>;

  /** First in every relay transaction: read what is committed now, and end when this process freezes. */
  begin(sql: SqlExecutor): Promise<void>;

  /** Last in every relay transaction, also one that failed: undoes what `begin` did to the connection. */
  end?(sql: SqlExecutor): Promise<void>;

  /** Locks due rows without ordering key, oldest first, leaving out those another relay has locked. */
  lockFree(sql: SqlExecutor, limit: BatchLimit): Promise<OutboxRow[]>;

  /** Takes the leases of up to `max` partitions with due rows that no other relay holds. */
  leasePartitions(sql: SqlExecutor, max: number): Promise<number[]>;

  /**
   * Locks the oldest rows of these partitions; keys that are blocked by a refused row are left out. In commit order.
   */
  lockOrdered(sql: SqlExecutor, partitions: readonly number[], limit: BatchLimit): Promise<OrderedHead[]>;

  /** Deletes the rows, or keeps them as sent. */
  markSent(sql: SqlExecutor, seqs: readonly string[], keep: boolean): Promise<void>;

  /** Counts a refusal; parks rows that reach `maxAttempts`. Returns the ids of the parked ones. */
  markFailed(sql: SqlExecutor, rows: readonly FailedRow[], maxAttempts: number): Promise<string[]>;
}
