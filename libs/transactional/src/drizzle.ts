// Outbox and inbox on Drizzle, for PostgreSQL (`drizzle-orm/node-postgres`) and MariaDB / MySQL (`drizzle-orm/mysql2`).
import { sql, type SQL } from 'drizzle-orm';
import type { OutboxDatabase, SqlExecutor } from './database/outbox-database.js';
import { noTransactionError } from './database/transaction-errors.js';
import { checkedExecutor, plainExecutor, READ_COMMITTED, refuseEnded } from './mysql/mysql-session.js';
import { NotificationListener, type ClientFactory } from './postgres/notification-listener.js';
import { refuseFailed } from './postgres/refuse-failed.js';

/** What Drizzle's databases and transactions have in common. */
export interface DrizzleExecutor {
  // oxlint-disable-next-line typescript/no-explicit-any -- the answer is the driver's
  execute(query: SQL): PromiseLike<any>;
}

export interface DrizzleDatabase<Tx extends DrizzleExecutor> extends DrizzleExecutor {
  transaction<T>(fn: (tx: Tx) => Promise<T>, config?: { isolationLevel: 'read committed' }): Promise<T>;
  /** The pool that it was made with. */
  readonly $client: unknown;
}

/**
 * The database behind a Drizzle instance on a pool of `pg` or `mysql2`. In transactions `tx` is Drizzle's transaction;
 * explicit: `db.transaction((tx) => outbox.send(…, { tx }))`.
 */
export function drizzleDatabase<Tx extends DrizzleExecutor>(db: DrizzleDatabase<Tx>): OutboxDatabase<Tx> {
  const pool = db.$client as Partial<ClientFactory>;
  const mysql = pool.Client === undefined;
  const refuse = (tx: Tx): Promise<void> => (mysql ? refuseEnded(raw(tx)) : refuseFailed(onPostgres(tx)));
  return {
    dialect: mysql ? 'mysql' : 'postgresql',
    query: (text, values) => (mysql ? plainExecutor(raw(db)) : onPostgres(db)).query(text, values),
    executor(tx) {
      if (typeof (tx as { rollback?: unknown })?.rollback !== 'function')
        throw noTransactionError('tx is not a transaction of Drizzle');
      // A transaction that has ended looks like an open one, and its connection may by now commit by itself.
      return mysql ? checkedExecutor(raw(tx)) : onPostgres(tx);
    },
    transaction: (fn) =>
      db.transaction(
        async (tx) => {
          const result = await fn(tx);
          await refuse(tx);
          return result;
        },
        mysql ? { isolationLevel: READ_COMMITTED } : undefined,
      ),
    listen: mysql
      ? undefined
      : (channel, onNotify) => new NotificationListener(pool as ClientFactory, channel, onNotify),
  };
}

function onPostgres(on: DrizzleExecutor): SqlExecutor {
  return {
    async query<R>(text: string, values: readonly unknown[] = []) {
      const { rows } = (await on.execute(statement(text, /\$(\d+)/, values))) as { rows?: R[] };
      return rows ?? [];
    },
  };
}

/** mysql2's answer is a pair of rows and columns. */
function raw(on: DrizzleExecutor) {
  return async (text: string, values: unknown[] = []): Promise<unknown> =>
    ((await on.execute(statement(text, /\?/, values))) as [unknown])[0];
}

/** Text with placeholders, numbered or in their order, as Drizzle builds its statements: text, value, text, value… */
function statement(text: string, placeholder: RegExp, values: readonly unknown[]): SQL {
  if (values.length === 0) return sql.raw(text);
  // With a group in the pattern, the numbers stand between the texts.
  const parts = text.split(placeholder);
  const numbered = parts.length > 1 && placeholder.source.includes('(');
  const chunks = parts.map((part, at) => {
    if (!numbered) return at === 0 ? sql.raw(part) : sql`${sql.param(values[at - 1])}${sql.raw(part)}`;
    return at % 2 === 0 ? sql.raw(part) : sql`${sql.param(values[Number(part) - 1])}`;
  });
  return sql.join(chunks);
}
