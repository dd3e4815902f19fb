// What the relay needs of the database for cancellations; inside the relay's own transaction.
import type { MessageRef } from '@millrace/core';
import type { SqlExecutor } from '../database/outbox-database.js';

export interface Cancellation {
  readonly seq: string;
  readonly topic: string;
  readonly ref: MessageRef;
}

export interface CancellationStore {
  /** Locks due cancellations, oldest first, leaving out those another relay has locked. */
  lock(sql: SqlExecutor, max: number): Promise<Cancellation[]>;

  /**
   * Removes rows of the outbox that these cancellations mean: written before them, and not seen by their transactions.
   * Waits while a relay is just sending one of them.
   */
  removeRows(sql: SqlExecutor, seqs: readonly string[]): Promise<void>;

  /** The broker has answered: nothing is left to do. */
  remove(sql: SqlExecutor, seqs: readonly string[]): Promise<void>;

  /** The broker refused: again after `delayMs`, and given up with the `maxAttempts`-th refusal. */
  refuse(sql: SqlExecutor, seqs: readonly string[], delayMs: number, maxAttempts: number): Promise<void>;
}
