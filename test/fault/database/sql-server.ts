// The database of a run as its parent sees it: started, asked, stopped.
import { startMariaDb, startPostgres } from '@millrace/testing/servers';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import type { SqlKind } from './tables.js';

export interface SqlServer {
  readonly kind: SqlKind;
  readonly url: string;
  /** On a connection of its own: it never waits for the processes of the run. */
  query<R extends object>(text: string): Promise<R[]>;
  stop(): Promise<void>;
}

export async function startSqlServer(kind: SqlKind): Promise<SqlServer> {
  const start = kind === 'postgres' ? startPostgres : startMariaDb;
  const ask = kind === 'postgres' ? onPostgres : onMariaDb;
  const server = await start({ settings: { max_connections: '150' } });
  return { kind, url: server.url, stop: () => server.stop(), query: (text) => ask(server.url, text) };
}

async function onPostgres<R extends object>(url: string, text: string): Promise<R[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
}

async function onMariaDb<R extends object>(url: string, text: string): Promise<R[]> {
  const connection = await createConnection(url);
  try {
    return (await connection.query(text))[0] as R[];
  } finally {
    await connection.end();
  }
}
