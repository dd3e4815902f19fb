// Outbox and inbox: messages that leave if and only if the transaction commits, and effects that happen once. The
// adapters are entry points of their own: '@millrace/transactional/typeorm', …/pg, …/mysql2, …/knex, …/drizzle.
export { TransactionalModule, type TransactionalModuleAsyncOptions } from './module/transactional.module.js';
export { getInboxToken, getOutboxAdminToken, getOutboxToken, InjectOutbox } from './module/outbox-tokens.js';
export type { TransactionalExtras } from './module/transactional.module-definition.js';
export { TRANSACTIONAL_DEFAULTS, type TransactionalOptions } from './module/transactional-options.js';

export { Outbox, type OutboxCancelResult, type OutboxReceipt, type OutboxSendOptions } from './outbox/outbox.js';
export { OutboxAdmin, type OutboxStatus } from './outbox/outbox-admin.js';
export type { OutboxBacklog, ParkedRow } from './outbox/outbox-store.js';
export type { RelayHealth } from './relay/outbox-relay.js';
export { RELAY_DEFAULTS, type RelayOptions } from './relay/relay-options.js';

export { InboxMiddleware } from './inbox/inbox-middleware.js';
export { getTransaction } from './inbox/inbox-transaction.js';
export { UseInbox } from './inbox/use-inbox.js';

export type { Dialect, NotificationSubscription, OutboxDatabase, SqlExecutor } from './database/outbox-database.js';
export { outboxMigration, outboxMigrationDown } from './schema/migration.js';
