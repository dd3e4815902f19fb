// What an ORM does not tell: whether PostgreSQL will make a rollback of the commit.
import type { SqlExecutor } from '../database/outbox-database.js';
import { rolledBackError } from '../database/transaction-errors.js';

/** SQLSTATE of a statement in a transaction that has failed. */
const FAILED_TRANSACTION = '25P02';

/**
 * ORMs do not tell a commit from the rollback that the server makes of it once a statement has failed; but in such a
 * transaction every statement fails, and this one waits for those the user did not wait for.
 */
export async function refuseFailed(sql: SqlExecutor): Promise<void> {
  await sql.query('select 1').catch((error: unknown) => {
    throw codes(error).includes(FAILED_TRANSACTION) ? rolledBackError() : error;
  });
}

/** Some ORMs wrap the driver's error. */
function codes(error: unknown): unknown[] {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return cause === undefined ? [code] : [code, ...codes(cause)];
}
