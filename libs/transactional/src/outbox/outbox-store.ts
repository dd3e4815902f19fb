// What outbox.send, outbox.cancel and the outbox's operator need of the database. Each method takes the executor it
// runs on, because the transaction is the caller's.
import type { MessageRef } from '@millrace/core';
import type { SqlExecutor } from '../database/outbox-database.js';
import type { NewRow } from './outbox-row.js';

/** A row that the broker refused too often. */
export interface ParkedRow {
  readonly messageId: string;
  readonly topic: string;
  readonly orderingKey?: string;
  readonly attempts: number;
  readonly error: string;
  readonly createdAt: Date;
}

export interface OutboxBacklog {
  /** Rows waiting to be relayed; counted up to 100,000. */
  readonly pending: number;
  /** Rows that wait for an operator; counted up to 100,000. */
  readonly parked: number;
  /** Cancellations waiting to be passed on; counted up to 100,000. */
  readonly cancelling: number;
  /**
   * Age of the oldest pending row in ms; undefined when there is none. A growing one means that the relay is behind.
   */
  readonly oldestAgeMs: number | undefined;
}

export interface OutboxStore {
  /**
   * One statement: inserts the row; with `notify` the commit notifies, where the database can. Rows of one ordering key
   * get their `seq` in commit order: the insert waits until earlier transactions that wrote rows of this key have ended.
   */
  insert(sql: SqlExecutor, row: NewRow, notify: boolean): Promise<void>;

  /**
   * The same for many rows, still one statement: they get their `seq` in the order of the list. Waits for all of its
   * ordering keys in one order, the same everywhere, so that two calls never wait for each other.
   */
  insertAll(sql: SqlExecutor, rows: readonly NewRow[], notify: boolean): Promise<void>;

  /**
   * Deletes what has not left yet and notes the cancellation for the relay. Waits while a relay is just sending the row.
   * Returns how many rows were deleted. The note also reaches rows of the name that were committed before this call and
   * that the transaction does not see (REPEATABLE READ): the relay removes them instead of sending them.
   */
  cancel(sql: SqlExecutor, topic: string, ref: MessageRef, notify: boolean): Promise<number>;

  /** Tells all relays that listen to look now. Absent when the database cannot. */
  notify?(sql: SqlExecutor): Promise<void>;

  backlog(sql: SqlExecutor): Promise<OutboxBacklog>;
  /** Oldest first. */
  parked(sql: SqlExecutor, page: { offset: number; limit: number }): Promise<ParkedRow[]>;
  /** Parked rows become pending again, attempts at 0. Returns the ids. */
  resume(sql: SqlExecutor, messageIds: readonly string[]): Promise<string[]>;
  /** Parked rows are deleted; what they blocked goes on. Returns the ids. */
  discard(sql: SqlExecutor, messageIds: readonly string[]): Promise<string[]>;
}
