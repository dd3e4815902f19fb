// The user's side of the outbox: messages that leave if and only if the transaction commits.
import {
  checkOptions,
  checkTopicName,
  InvalidOptionError,
  type MessageRef,
  type SendOptions,
  type SendSettings,
} from '@millrace/core';
import type { MqBody, MqSendRequest } from '@millrace/nestjs';
import type { TransactionScope } from '../database/transaction-scope.js';
import { newRow, newRows, storableText } from './outbox-row.js';
import type { OutboxStore } from './outbox-store.js';

/** `tx` is what the database adapter calls a transaction: EntityManager (TypeORM), client (`pg`). */
export type OutboxSendOptions<Tx = unknown> = SendOptions & {
  /** Open transaction to write in. @default the ambient one of `withTransaction` or of the inbox */
  tx?: Tx;
};

/** Names the message for `outbox.cancel`. The broker's receipt does not exist yet: nothing has left. */
export interface OutboxReceipt {
  readonly messageId: string;
  readonly topic: string;
}

/**
 * `cancelled`: it was still in the table and will not leave once this transaction commits. `requested`: it had left
 * or never was there; the broker is asked after the commit, until it answers.
 */
export type OutboxCancelResult = 'cancelled' | 'requested';

export class Outbox<Tx = unknown> {
  constructor(
    private readonly scope: TransactionScope<Tx>,
    private readonly store: OutboxStore,
    private readonly settings: SendSettings = {},
    /** Whether transactions whose commit we do not hear of ask for a notification. */
    private readonly notify = true,
  ) {}

  /**
   * Writes a message in the transaction; the relay sends it after the commit, at least once, with the row's id as
   * message id, so that the topic's dedup window and the inbox see a second send of it. `delay` counts from this call
   * by the database's clock. Messages with the same ordering key leave in commit order; writing the same ordering key
   * in two transactions makes the second wait for the first. What only the broker can refuse (an idempotency key that
   * is known with another body) is found out by the relay: it tries again, then parks the row; see `OutboxAdmin`.
   *
   * Throws InvalidOptionError before anything is stored, and MqError `MQ_NO_TRANSACTION` outside a transaction.
   */
  async send<const Destination extends string>(
    destination: Destination,
    body: MqBody<Destination>,
    options: OutboxSendOptions<Tx> = {},
  ): Promise<OutboxReceipt> {
    const { tx, ...sendOptions } = options;
    const row = newRow(destination, body, sendOptions, this.settings);
    await this.scope.write('outbox.send', tx, (sql, isHeard) => this.store.insert(sql, row, this.notify && !isHeard));
    return { messageId: row.id, topic: row.topic };
  }

  /**
   * Writes many messages with one INSERT, all or none of them; those of one ordering key leave in the order of the list.
   * Otherwise as `send`. At most 10,000 messages, and 64 MiB of bodies after compression.
   *
   * Throws InvalidOptionError for the first bad message before anything is stored, and MqError `MQ_NO_TRANSACTION`
   * outside a transaction.
   */
  async sendAll<const Destinations extends readonly string[]>(
    requests: { readonly [Index in keyof Destinations]: MqSendRequest<Destinations[Index]> },
    { tx }: { tx?: Tx } = {},
  ): Promise<OutboxReceipt[]> {
    const rows = newRows(requests, this.settings);
    await this.scope.write('outbox.sendAll', tx, (sql, isHeard) =>
      this.store.insertAll(sql, rows, this.notify && !isHeard),
    );
    return rows.map(({ id, topic }) => ({ messageId: id, topic }));
  }

  /**
   * Runs `fn` in a transaction that is ambient for `outbox.send` and `outbox.cancel`, commits, and wakes the relay of
   * this process. Inside another `withTransaction`, or in a listener with `@UseInbox()`, it joins that transaction:
   * only the outermost commits. Rolls back and rethrows when `fn` throws.
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- see below
  withTransaction<T, OwnTx extends Tx = Tx>(fn: (tx: OwnTx) => Promise<T>): Promise<T> {
    // Injected by its class the outbox does not know what its database calls a transaction; the caller does.
    return this.scope.join(fn as (tx: Tx) => Promise<T>);
  }

  /**
   * Takes a message back, if and only if the transaction commits. While a relay is just sending it, this waits for the
   * outcome (usually ms, at most the send deadline): the row lock decides. A message that had left is cancelled at the
   * broker after the commit if it is still scheduled there, also when it left with a relay that died before noting so.
   * Under REPEATABLE READ it may be one that this transaction cannot see, because it was committed since it began: the
   * answer is `requested` then, and the relay removes it.
   *
   * Throws MqError `MQ_NO_TRANSACTION` outside a transaction, InvalidOptionError for a reference that names nothing.
   */
  async cancel(topic: string, ref: MessageRef, options: { tx?: Tx } = {}): Promise<OutboxCancelResult> {
    const named = checkedRef(topic, ref);
    const removed = await this.scope.write('outbox.cancel', options.tx, (sql, isHeard) =>
      this.store.cancel(sql, topic, named, this.notify && !isHeard),
    );
    return removed > 0 ? 'cancelled' : 'requested';
  }
}

/** The same rules as the broker's, because there it would be refused only after the commit. */
function checkedRef(topic: string, ref: MessageRef): MessageRef {
  checkTopicName(topic, 'cancel.topic');
  checkOptions('cancel.ref', ref, ['messageId', 'idempotencyKey', 'orderingKey', 'topic']);
  const { messageId, idempotencyKey, orderingKey } = ref as Partial<
    Record<'messageId' | 'idempotencyKey' | 'orderingKey', string>
  >;
  if ((messageId === undefined) === (idempotencyKey === undefined))
    throw new InvalidOptionError('cancel.ref', ref, "needs exactly one of 'messageId' and 'idempotencyKey'");
  if (messageId !== undefined) return { messageId: storableText('cancel.ref.messageId', messageId) };
  return {
    idempotencyKey: storableText('cancel.ref.idempotencyKey', idempotencyKey),
    orderingKey: orderingKey === undefined ? undefined : storableText('cancel.ref.orderingKey', orderingKey),
  };
}
