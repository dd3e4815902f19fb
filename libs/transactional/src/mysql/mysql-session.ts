// What every adapter on mysql2 shares: how its answers are read, and whether a transaction is open.
import type { SqlExecutor } from '../database/outbox-database.js';
import { noTransactionError, rolledBackError } from '../database/transaction-errors.js';

/** Runs a statement with `?` placeholders. Gives what mysql2 gives: rows, or the header of a statement without rows. */
export type RunStatement = (text: string, values?: unknown[]) => Promise<unknown>;

/** Bits of `serverStatus`: a transaction is open; statements commit by themselves. */
const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;

/**
 * InnoDB's own default, REPEATABLE READ, locks the gaps between rows: a cancellation that finds nothing would keep
 * everybody from inserting.
 */
export const READ_COMMITTED = 'read committed';

export function plainExecutor(run: RunStatement): SqlExecutor {
  return { query: async (text, values) => rowsOf(await run(text, values && [...values])) };
}

/**
 * The user's transaction as an executor. Nothing in the client tells whether one is open, so the server is asked before
 * the first statement: outside of a transaction the row would be committed by itself. One more round trip, not for
 * transactions that we began.
 */
export function checkedExecutor(run: RunStatement): SqlExecutor {
  const plain = plainExecutor(run);
  let open: Promise<void> | undefined;
  return {
    async query(text, values) {
      await (open ??= refuse(run, () => noTransactionError('tx has no open transaction')));
      return plain.query(text, values);
    },
  };
}

/** A deadlock or a lock time-out may have ended the transaction, and its error may have been swallowed. */
export function refuseEnded(run: RunStatement): Promise<void> {
  return refuse(run, rolledBackError);
}

async function refuse(run: RunStatement, error: () => Error): Promise<void> {
  const { serverStatus } = (await run('do 0')) as { serverStatus?: number };
  // Without autocommit the transaction begins with the first statement that needs one.
  if (serverStatus === undefined || serverStatus & IN_TRANSACTION || !(serverStatus & AUTOCOMMIT)) return;
  throw error();
}

function rowsOf<R>(result: unknown): R[] {
  return Array.isArray(result) ? (result as R[]) : [];
}
