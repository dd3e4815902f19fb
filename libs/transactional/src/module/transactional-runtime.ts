// Everything of one database put together, without Nest: stores, scope, outbox, inbox, relay, cleaner.
import type { MqEvents, SendSettings } from '@millrace/core';
import type { AmbientTransactions } from '../database/cls-transactions.js';
import type { Stores } from '../database/stores.js';
import { TransactionScope } from '../database/transaction-scope.js';
import { InboxMiddleware } from '../inbox/inbox-middleware.js';
import { mysqlStores } from '../mysql/mysql-stores.js';
import { Outbox } from '../outbox/outbox.js';
import { OutboxAdmin } from '../outbox/outbox-admin.js';
import { postgresStores } from '../postgres/postgres-stores.js';
import { CommitSignal } from '../relay/commit-signal.js';
import { OutboxRelay } from '../relay/outbox-relay.js';
import type { ParkedMessage } from '../relay/relay-pass.js';
import type { MessageSender } from '../relay/send-rows.js';
import { TableCleaner } from '../relay/table-cleaner.js';
import { checkSchema } from '../schema/schema-check.js';
import type { TransactionalSpec } from './transactional-options.js';

export interface RuntimeSetup {
  readonly spec: TransactionalSpec;
  readonly sender: MessageSender;
  /** Told of failing loops. */
  readonly events: Pick<MqEvents, 'emit'>;
  /** Transactions that the application keeps on this database. */
  readonly transactions?: AmbientTransactions<unknown>;
  /** Delay levels of the connection. */
  readonly settings?: SendSettings;
  onParked?(messages: readonly ParkedMessage[]): void;
}

export class TransactionalRuntime {
  readonly outbox: Outbox;
  readonly inbox: InboxMiddleware;
  readonly admin: OutboxAdmin;
  readonly relay: OutboxRelay;
  readonly cleaner: TableCleaner;
  private readonly stores: Stores;
  private readonly signal: CommitSignal;

  constructor(private readonly setup: RuntimeSetup) {
    const { spec, sender, events, settings } = setup;
    const { database, names } = spec;
    const onError = (loop: string) => (error: unknown) => events.emit('loop-error', { loop, error });
    this.stores = (database.dialect === 'mysql' ? mysqlStores : postgresStores)(names);
    this.relay = new OutboxRelay({
      database,
      store: this.stores.relay,
      cancellations: this.stores.cancellations,
      sender,
      spec: spec.relay,
      channel: names.channel,
      onError: onError('outbox-relay'),
      onParked: (messages) => setup.onParked?.(messages),
    });
    const { outbox } = this.stores;
    const notify = spec.notify ? outbox.notify?.bind(outbox) : undefined;
    this.signal = new CommitSignal({ database, relay: this.relay, notify });
    const scope = new TransactionScope(database, this.signal.tell, setup.transactions);
    this.outbox = new Outbox(scope, outbox, settings, spec.notify);
    this.inbox = new InboxMiddleware(scope, this.stores.inbox);
    this.admin = new OutboxAdmin(database, outbox, this.relay);
    this.cleaner = new TableCleaner({
      database,
      store: this.stores.clean,
      keepSentMs: spec.relay.keepSentMs,
      keepHandledMs: spec.inboxRetentionMs,
      onError: onError('outbox-clean'),
    });
  }

  /** Throws MqError `MQ_MIGRATION_MISSING` or `MQ_SCHEMA_VERSION`. */
  async checkTables(): Promise<void> {
    const { database, migrate } = this.setup.spec;
    if (migrate) await this.stores.schema.migrate(database);
    await checkSchema(database, this.stores.schema);
  }

  start(): void {
    if (this.setup.spec.relays) this.relay.start();
    this.cleaner.start();
  }

  /** Waits for what is under way. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([this.relay.stop(), this.cleaner.stop(), this.signal.stop()]);
  }
}
