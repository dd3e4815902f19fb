// What the inbox needs of the database.
import type { SqlExecutor } from '../database/outbox-database.js';

export interface InboxRecord {
  readonly group: string;
  readonly topic: string;
  /** See `inboxKey`. */
  readonly key: string;
  readonly messageId: string;
}

/**
 * `new`: recorded, unless this transaction rolls back. `duplicate`: handled before. `busy`: another transaction is at
 * it now.
 */
export type InboxAnswer = 'new' | 'duplicate' | 'busy';

export interface InboxStore {
  /**
   * Never waits for a handler: of several transactions with one record, one gets `new`, and the others `busy` until it
   * has ended. Waiting instead would hold a connection of the pool for as long as somebody else's handler runs.
   */
  record(sql: SqlExecutor, record: InboxRecord): Promise<InboxAnswer>;

  /** Last in the transaction of every answer but `busy`, where the gate does not end with the transaction. */
  release?(sql: SqlExecutor, record: InboxRecord): Promise<void>;
}
