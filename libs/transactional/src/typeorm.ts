// Outbox and inbox on TypeORM, for PostgreSQL and for MariaDB / MySQL (driver `mysql2`).
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { OutboxDatabase, SqlExecutor } from './database/outbox-database.js';
import { noTransactionError } from './database/transaction-errors.js';
import { refuseEnded } from './mysql/mysql-session.js';
import { NotificationListener, type ClientFactory } from './postgres/notification-listener.js';
import { refuseFailed } from './postgres/refuse-failed.js';

export { MillraceTransactional1763683200000, transactionalMigration } from './schema/typeorm-migration.js';

/**
 * The database behind an initialised DataSource. In transactions `tx` is the EntityManager, so repositories are
 * `tx.getRepository(Order)`; explicit: `dataSource.transaction((tx) => outbox.send(…, { tx }))`.
 */
export function typeOrmDatabase(dataSource: DataSource): OutboxDatabase<EntityManager> {
  const { type } = dataSource.options;
  const mysql = type === 'mysql' || type === 'mariadb';
  return {
    dialect: mysql ? 'mysql' : 'postgresql',
    query: (text, values) => onRunner(dataSource, (runner) => runQuery(runner, text, values)),
    executor(manager) {
      if (manager && manager.connection !== dataSource) throw noTransactionError('tx is of another DataSource');
      return executor(manager);
    },
    transaction: (fn) => onRunner(dataSource, (runner) => inTransaction(runner, mysql, fn)),
    listen: mysql
      ? undefined
      : (channel, onNotify) => {
          const { master } = dataSource.driver as unknown as { master: ClientFactory };
          return new NotificationListener(master, channel, onNotify);
        },
  };
}

function executor(manager: EntityManager): SqlExecutor {
  const runner = manager?.queryRunner;
  if (!runner?.isTransactionActive) throw noTransactionError('tx is not the EntityManager of an open transaction');
  return { query: (text, values) => runQuery(runner, text, values) };
}

async function onRunner<T>(dataSource: DataSource, use: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner('master');
  try {
    return await use(runner);
  } finally {
    await runner.release();
  }
}

async function inTransaction<T>(
  runner: QueryRunner,
  mysql: boolean,
  fn: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  await runner.startTransaction(mysql ? 'READ COMMITTED' : undefined);
  try {
    const result = await fn(runner.manager);
    await (mysql ? refuseEnded((text) => runner.query(text)) : refuseFailed(executor(runner.manager)));
    await runner.commitTransaction();
    return result;
  } catch (error) {
    // The first error is the one to tell; a connection that cannot roll back is found broken by the pool.
    await runner.rollbackTransaction().catch(() => {});
    throw error;
  }
}

async function runQuery<R>(runner: QueryRunner, text: string, values?: readonly unknown[]): Promise<R[]> {
  const result = await runner.query(text, values && [...values], true);
  return (result.records ?? []) as R[];
}
