// The port to the user's SQL database. One method is enough to talk to it; an adapter for an ORM adds how to begin a
// transaction and how to listen, and stays at about 25 lines (see pg.ts and typeorm.ts).

export interface SqlExecutor {
  /**
   * Runs one statement and gives its rows; an empty list when it returns none. Placeholders are those of the dialect:
   * $1, $2 … on PostgreSQL, question marks on MariaDB and MySQL.
   */
  query<R = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<R[]>;
}

export type Dialect = 'postgresql' | 'mysql';

/** A standing wish for notifications; reconnects by itself until it is closed. */
export interface NotificationSubscription {
  /** False while there is no connection: notifications of that time are lost, the poller finds their rows. */
  readonly connected: boolean;
  /** Ends the connection. Idempotent. */
  close(): Promise<void>;
}

/** `query` itself runs outside any transaction, on whatever connection is free. */
export interface OutboxDatabase<Tx = unknown> extends SqlExecutor {
  /** Whose SQL is spoken; `mysql` is MariaDB's too. */
  readonly dialect: Dialect;

  /**
   * The adapter's transaction as an executor. Throws MqError `MQ_NO_TRANSACTION` when `tx` is visibly not an open one.
   */
  executor(tx: Tx): SqlExecutor;

  /**
   * Begins a transaction, runs `fn`, commits; rolls back and rethrows when `fn` throws. Resolving means committed:
   * when the server answers the commit with a rollback (a statement had failed and its error was swallowed), it rejects
   * with MqError `MQ_ROLLED_BACK`. On MariaDB and MySQL the transaction is READ COMMITTED.
   */
  transaction<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;

  /**
   * Calls back on each notification of the channel, and once after every (re)connection, for what was missed.
   * On its own connection, not one of the pool. Absent when the database cannot notify.
   */
  listen?(channel: string, onNotify: () => void): NotificationSubscription;
}
