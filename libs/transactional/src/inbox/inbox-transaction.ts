// Where the inbox leaves its transaction for the handler.
import type { MqContext } from '@millrace/core';
import { noTransactionError } from '../database/transaction-errors.js';

const TRANSACTION = Symbol('millrace inbox transaction');

/**
 * The transaction in which the inbox recorded the message: effects written in it happen once. What the database adapter
 * calls a transaction: EntityManager (TypeORM), client (`pg`). Throws MqError `MQ_NO_TRANSACTION` in a listener without
 * `@UseInbox()`.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows its adapter, we do not
export function getTransaction<Tx>(context: Pick<MqContext, 'store'>): Tx {
  if (!context.store.has(TRANSACTION)) throw noTransactionError('getTransaction in a listener without @UseInbox()');
  return context.store.get(TRANSACTION) as Tx;
}

/** Gives the handler its transaction, until the returned function takes it back. */
export function lendTransaction(context: Pick<MqContext, 'store'>, tx: unknown): () => void {
  context.store.set(TRANSACTION, tx);
  return () => void context.store.delete(TRANSACTION);
}
