// Everything PostgreSQL for one table prefix.
import type { Stores } from '../database/stores.js';
import type { TableNames } from '../database/table-names.js';
import { PostgresCancellationStore } from './postgres-cancellation-store.js';
import { PostgresCleanStore } from './postgres-clean-store.js';
import { PostgresInboxStore } from './postgres-inbox-store.js';
import { PostgresOutboxStore } from './postgres-outbox-store.js';
import { PostgresRelayStore } from './postgres-relay-store.js';
import { PostgresSchemaStore } from './postgres-schema-store.js';

export function postgresStores(names: TableNames): Stores {
  return {
    outbox: new PostgresOutboxStore(names),
    relay: new PostgresRelayStore(names),
    cancellations: new PostgresCancellationStore(names),
    inbox: new PostgresInboxStore(names),
    clean: new PostgresCleanStore(names),
    schema: new PostgresSchemaStore(names),
  };
}
