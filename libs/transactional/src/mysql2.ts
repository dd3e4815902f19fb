// Outbox and inbox on plain `mysql2`, for MariaDB and MySQL.
import type { Connection, Pool } from 'mysql2/promise';
import type { OutboxDatabase } from './database/outbox-database.js';
import { noTransactionError } from './database/transaction-errors.js';
import {
  checkedExecutor,
  plainExecutor,
  READ_COMMITTED,
  refuseEnded,
  type RunStatement,
} from './mysql/mysql-session.js';

/** A connection on which the caller has begun a transaction. */
export type Mysql2Transaction = Connection;

/**
 * The database behind a pool of `mysql2/promise`. In transactions `tx` is the pool's connection. Explicit transactions:
 * `connection.beginTransaction()`, `outbox.send(…, { tx: connection })`, `connection.commit()`.
 */
export function mysql2Database(pool: Pool): OutboxDatabase<Mysql2Transaction> {
  const ours = new WeakSet<Connection>();
  return {
    dialect: 'mysql',
    query: (text, values) => plainExecutor(statements(pool)).query(text, values),
    executor(connection) {
      if (typeof connection?.query !== 'function' || 'getConnection' in connection)
        throw noTransactionError('tx is not a connection of the pool');
      return (ours.has(connection) ? plainExecutor : checkedExecutor)(statements(connection));
    },
    transaction: (fn) => inTransaction(pool, ours, fn),
  };
}

async function inTransaction<T>(
  pool: Pool,
  ours: WeakSet<Connection>,
  fn: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await pool.getConnection();
  const run = statements(connection);
  let broken = false;
  try {
    await run(`set transaction isolation level ${READ_COMMITTED}`);
    await run('start transaction');
    ours.add(connection);
    const result = await fn(connection);
    await refuseEnded(run);
    await run('commit');
    return result;
  } catch (error) {
    await run('rollback').catch(() => (broken = true));
    throw error;
  } finally {
    ours.delete(connection);
    // A connection whose rollback failed may still be inside the transaction: it must not be used again.
    if (broken) connection.destroy();
    else connection.release();
  }
}

/** Whatever the options of the pool are, rows are objects here and placeholders question marks. */
function statements(on: Pick<Connection, 'query'>): RunStatement {
  return async (sql, values) =>
    (await on.query({ sql, values, rowsAsArray: false, namedPlaceholders: false } as { sql: string }))[0];
}
