// The database of a run as its members see it: the adapter of the outbox, over a pool.
import type { OutboxDatabase } from '@millrace/transactional';
import { mysql2Database } from '@millrace/transactional/mysql2';
import { pgDatabase } from '@millrace/transactional/pg';
import { createPool } from 'mysql2/promise';
import pg from 'pg';
import { kindOf } from './tables.js';

export interface SqlPool {
  readonly database: OutboxDatabase;
  close(): Promise<void>;
}

export function openPool(url: string): SqlPool {
  return kindOf(url) === 'postgres' ? postgres(url) : mariaDb(url);
}

function mariaDb(url: string): SqlPool {
  const pool = createPool({ uri: url, connectionLimit: 12 });
  return { database: mysql2Database(pool), close: () => pool.end() };
}

function postgres(url: string): SqlPool {
  const pool = new pg.Pool({ connectionString: url, max: 12 });
  pool.on('error', () => undefined); // a query that fails says so itself
  return { database: pgDatabase(pool), close: () => pool.end() };
}
