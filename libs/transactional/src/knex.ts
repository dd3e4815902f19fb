// Outbox and inbox on Knex, for PostgreSQL (client `pg`) and MariaDB / MySQL (client `mysql2`).
import type { Knex } from 'knex';
import type { OutboxDatabase, SqlExecutor } from './database/outbox-database.js';
import { noTransactionError } from './database/transaction-errors.js';
import { plainExecutor, READ_COMMITTED, refuseEnded } from './mysql/mysql-session.js';
import { NotificationListener, type ClientFactory } from './postgres/notification-listener.js';
import { questionMarks } from './postgres/placeholders.js';
import { refuseFailed } from './postgres/refuse-failed.js';

/**
 * The database behind a Knex instance. In transactions `tx` is Knex's transaction; explicit:
 * `knex.transaction((tx) => outbox.send(…, { tx }))`.
 */
export function knexDatabase(knex: Knex): OutboxDatabase<Knex.Transaction> {
  const client = knex.client as {
    dialect: string;
    driver: { Client: ClientFactory['Client'] };
    connectionSettings: object;
  };
  const mysql = client.dialect === 'mysql';
  const statements = mysql ? onMysql : onPostgres;
  const refuse = (tx: Knex.Transaction): Promise<void> => (mysql ? refuseEnded(raw(tx)) : refuseFailed(onPostgres(tx)));
  return {
    dialect: mysql ? 'mysql' : 'postgresql',
    query: (text, values) => statements(knex).query(text, values),
    executor(tx) {
      if (!tx?.isTransaction || tx.isCompleted()) throw noTransactionError('tx is not an open transaction of Knex');
      return statements(tx);
    },
    transaction: (fn) =>
      knex.transaction(
        async (tx) => {
          const result = await fn(tx);
          await refuse(tx);
          return result;
        },
        mysql ? { isolationLevel: READ_COMMITTED } : undefined,
      ),
    listen: mysql
      ? undefined
      : (channel, onNotify) => {
          const factory = { Client: client.driver.Client, options: client.connectionSettings };
          return new NotificationListener(factory, channel, onNotify);
        },
  };
}

function onPostgres(knex: Knex): SqlExecutor {
  return {
    async query<R>(text: string, values: readonly unknown[] = []) {
      const { rows } = (await knex.raw(...questionMarks(text, values))) as { rows?: R[] };
      return rows ?? [];
    },
  };
}

function onMysql(knex: Knex): SqlExecutor {
  return plainExecutor(raw(knex));
}

/** mysql2's answer is a pair of rows and columns. */
function raw(knex: Knex) {
  return async (text: string, values: unknown[] = []): Promise<unknown> =>
    ((await knex.raw(text, values as Knex.Value[])) as [unknown])[0];
}
