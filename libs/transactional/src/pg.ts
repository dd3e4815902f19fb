// Outbox and inbox on plain `pg`.
import type { ClientBase, Pool, PoolClient } from 'pg';
import type { OutboxDatabase, SqlExecutor } from './database/outbox-database.js';
import { noTransactionError, rolledBackError } from './database/transaction-errors.js';
import { NotificationListener, type ClientFactory } from './postgres/notification-listener.js';

/** A connection on which the caller has run `begin`. */
export type PgTransaction = ClientBase;

/**
 * The database behind a `pg` pool. In transactions `tx` is the pool's client. Explicit transactions: run `begin`, then
 * `outbox.send(…, { tx: client })`, then `commit`, all on the same client.
 */
export function pgDatabase(pool: Pool): OutboxDatabase<PgTransaction> {
  return {
    dialect: 'postgresql',
    query: async (text, values) => rowsOf(await pool.query(text, values && [...values])),
    executor,
    transaction: (fn) => inTransaction(pool, fn),
    listen: (channel, onNotify) => new NotificationListener(pool as unknown as ClientFactory, channel, onNotify),
  };
}

function executor(client: PgTransaction): SqlExecutor {
  if (typeof client?.query !== 'function' || 'totalCount' in client)
    throw noTransactionError('tx is not a client of the pool');
  if (isIdle(client)) throw noTransactionError('tx has no open transaction');
  return { query: async (text, values) => rowsOf(await client.query(text, values && [...values])) };
}

function ignore(): void {}

/** Clients older than 8.18 do not tell. */
function isIdle(client: PgTransaction): boolean {
  return (client as { getTransactionStatus?(): string | null }).getTransactionStatus?.() === 'I';
}

async function inTransaction<T>(pool: Pool, fn: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Without a listener, a connection lost between two statements would end the process; the next statement tells.
  client.on('error', ignore);
  let broken: unknown;
  try {
    await client.query('begin');
    const result = await fn(client);
    if ((await client.query('commit')).command !== 'COMMIT') throw rolledBackError();
    return result;
  } catch (error) {
    await client.query('rollback').catch((cause: unknown) => (broken = cause));
    throw error;
  } finally {
    client.off('error', ignore);
    // A connection whose rollback failed may still be inside the transaction: it must not be used again.
    client.release(broken !== undefined);
  }
}

/** Several statements in one text give several results; nobody asks for their rows. */
function rowsOf<R>(result: { rows?: unknown[] }): R[] {
  return (result.rows ?? []) as R[];
}
