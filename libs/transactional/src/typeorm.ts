// Outbox and inbox on TypeORM (PostgreSQL).
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { OutboxDatabase, SqlExecutor } from './database/outbox-database.js';
import { noTransactionError, rolledBackError } from './database/transaction-errors.js';
import { NotificationListener, type ClientFactory } from './postgres/notification-listener.js';

export { MillraceTransactional1763683200000, transactionalMigration } from './schema/typeorm-migration.js';

/** SQLSTATE of a statement in a transaction that has failed. */
const FAILED_TRANSACTION = '25P02';

/**
 * The database behind an initialised DataSource. In transactions `tx` is the EntityManager, so repositories are
 * `tx.getRepository(Order)`; explicit: `dataSource.transaction((tx) => outbox.send(…, { tx }))`.
 */
export function typeOrmDatabase(dataSource: DataSource): OutboxDatabase<EntityManager> {
  return {
    dialect: 'postgresql',
    query: (text, values) => onRunner(dataSource, (runner) => runQuery(runner, text, values)),
    executor,
    transaction: (fn) => onRunner(dataSource, (runner) => inTransaction(runner, fn)),
    listen: (channel, onNotify) => {
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

async function inTransaction<T>(runner: QueryRunner, fn: (manager: EntityManager) => Promise<T>): Promise<T> {
  await runner.startTransaction();
  try {
    const result = await fn(runner.manager);
    await refuseFailed(runner);
    await runner.commitTransaction();
    return result;
  } catch (error) {
    // The first error is the one to tell; a connection that cannot roll back is found broken by the pool.
    await runner.rollbackTransaction().catch(() => {});
    throw error;
  }
}

/**
 * TypeORM does not tell a commit from the rollback that the server makes of it once a statement has failed; but in such
 * a transaction every statement fails, and this one waits for those the user did not wait for.
 */
async function refuseFailed(runner: QueryRunner): Promise<void> {
  await runner.query('select 1').catch((cause: unknown) => {
    throw (cause as { code?: unknown }).code === FAILED_TRANSACTION ? rolledBackError() : cause;
  });
}

async function runQuery<R>(runner: QueryRunner, text: string, values?: readonly unknown[]): Promise<R[]> {
  const result = await runner.query(text, values && [...values], true);
  return (result.records ?? []) as R[];
}
