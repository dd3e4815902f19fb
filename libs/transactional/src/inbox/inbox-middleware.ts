// The inbox: the effect of a message and the record that it was handled commit together, so a second delivery finds the
// record and does nothing.
import { HandBack, Rejection, RetryLater, type Middleware, type MqContext } from '@millrace/core';
import type { TransactionScope } from '../database/transaction-scope.js';
import { inboxKey } from './inbox-key.js';
import type { InboxStore } from './inbox-store.js';
import { lendTransaction } from './inbox-transaction.js';

/** When to look again at a message that another process is handling, in ms. */
const BUSY_DELAY_MS = 1000;

/** Carries a handler's "not done" out of the transaction, which it thereby rolls back. */
class NotDone {
  constructor(readonly outcome: unknown) {}
}

/**
 * Around a handler, as one transaction: record (group, topic, key) — run the handler — commit — and then the consumer
 * acks.
 *
 * - a duplicate is acked without running the handler
 * - a message that is being handled at this moment elsewhere (its lease was lost) is handed back for a second
 * - a handler that throws, or returns `retryLater`, `deadLetter` or `handBack`, leaves neither effect nor record nor
 *   messages sent through the outbox
 * - a crash after the commit and before the ack ends as a duplicate
 */
export class InboxMiddleware<Tx = unknown> {
  constructor(
    private readonly scope: TransactionScope<Tx>,
    private readonly store: InboxStore,
  ) {}

  readonly handle: Middleware = async (context, next) => {
    const { message, group, topic } = context;
    try {
      return await this.scope.begin(async (tx, sql) => {
        const record = { group, topic, key: inboxKey(message), messageId: message.messageId };
        const answer = await this.store.record(sql, record);
        if (answer === 'busy') return new HandBack(BUSY_DELAY_MS);
        try {
          return answer === 'duplicate' ? undefined : await runIn(context, tx, next);
        } finally {
          // A connection that cannot do this is lost, and the commit will tell.
          await this.store.release?.(sql, record).catch(() => {});
        }
      });
    } catch (error) {
      if (error instanceof NotDone) return error.outcome;
      throw error;
    }
  };
}

async function runIn(context: MqContext, tx: unknown, next: () => Promise<unknown>): Promise<unknown> {
  const takeBack = lendTransaction(context, tx);
  try {
    const outcome = await next();
    if (isNotDone(outcome)) throw new NotDone(outcome);
    return outcome;
  } finally {
    takeBack();
  }
}

function isNotDone(outcome: unknown): boolean {
  return outcome instanceof RetryLater || outcome instanceof Rejection || outcome instanceof HandBack;
}
