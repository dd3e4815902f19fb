// Everything MariaDB and MySQL for one table prefix.
import type { TableNames } from '../database/table-names.js';
import type { Stores } from '../database/stores.js';
import { MysqlCancellationStore } from './mysql-cancellation-store.js';
import { MysqlCleanStore } from './mysql-clean-store.js';
import { MysqlInboxStore } from './mysql-inbox-store.js';
import { MysqlOutboxStore } from './mysql-outbox-store.js';
import { MysqlRelayStore } from './mysql-relay-store.js';
import { MysqlSchemaStore } from './mysql-schema-store.js';

export function mysqlStores(names: TableNames): Stores {
  return {
    outbox: new MysqlOutboxStore(names),
    relay: new MysqlRelayStore(names),
    cancellations: new MysqlCancellationStore(names),
    inbox: new MysqlInboxStore(names),
    clean: new MysqlCleanStore(names),
    schema: new MysqlSchemaStore(names),
  };
}
