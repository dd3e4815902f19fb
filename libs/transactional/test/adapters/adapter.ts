// What the suites need of every adapter under test.
import type { OutboxDatabase } from '../../src/database/outbox-database.js';
import type { TestServer } from './test-server.js';

export interface OpenDatabase<Tx = unknown> {
  readonly database: OutboxDatabase<Tx>;
  /** Begins a transaction the way a user of this adapter would, without our help. */
  ownTransaction<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /** What is not a transaction, but looks like one to a careless caller. */
  readonly noTransactions: readonly Tx[];
  /** A statement of the user's in the transaction; placeholders are those of the server. */
  run(tx: Tx, text: string, values?: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

export interface Adapter {
  readonly name: string;
  readonly server: TestServer;
  /** @param serverOptions of the connections, on PostgreSQL: for example `-c statement_timeout=1000` */
  open(serverOptions?: string): Promise<OpenDatabase>;
}

/** Connections of each process under test. */
export const POOL = 12;
