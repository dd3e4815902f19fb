// The adapters under test, each on the same PostgreSQL, behind what the suites need of both.
import pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import type { OutboxDatabase } from '../src/database/outbox-database.js';
import { pgDatabase } from '../src/pg.js';
import { typeOrmDatabase } from '../src/typeorm.js';

export interface OpenDatabase<Tx = unknown> {
  readonly database: OutboxDatabase<Tx>;
  /** Begins a transaction the way a user of this adapter would, without our help. */
  ownTransaction<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /** What is not a transaction, but looks like one to a careless caller. */
  readonly noTransactions: readonly Tx[];
  /** A statement of the user's in the transaction. */
  run(tx: Tx, text: string, values?: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

export interface Adapter {
  readonly name: string;
  /** @param serverOptions of the connections, for example `-c statement_timeout=1000` */
  open(serverOptions?: string): Promise<OpenDatabase>;
}

const url = (): string => process.env.DATABASE_URL!;

const plainPg: Adapter = {
  name: 'pg',
  async open(options) {
    const pool = new pg.Pool({ connectionString: url(), max: 12, options });
    pool.on('error', () => {});
    const outside = await pool.connect();
    const open: OpenDatabase<pg.ClientBase> = {
      database: pgDatabase(pool),
      async ownTransaction(fn) {
        const client = await pool.connect();
        try {
          await client.query('begin');
          const result = await fn(client);
          await client.query('commit');
          return result;
        } catch (error) {
          await client.query('rollback');
          throw error;
        } finally {
          client.release();
        }
      },
      noTransactions: [outside, pool as unknown as pg.ClientBase],
      run: (client, text, values) => client.query(text, values),
      async close() {
        outside.release();
        await pool.end();
      },
    };
    await outside.query('select 1');
    return open;
  },
};

const typeOrm: Adapter = {
  name: 'TypeORM',
  async open(options) {
    const extra = { max: 12, options };
    const dataSource = await new DataSource({
      type: 'postgres',
      url: url(),
      extra,
      poolErrorHandler: () => {},
    }).initialize();
    const open: OpenDatabase<EntityManager> = {
      database: typeOrmDatabase(dataSource),
      ownTransaction: (fn) => dataSource.transaction(fn),
      noTransactions: [dataSource.manager],
      run: (manager, text, values) => manager.query(text, values),
      close: () => dataSource.destroy(),
    };
    return open;
  },
};

export const ADAPTERS: readonly Adapter[] = [plainPg, typeOrm];
