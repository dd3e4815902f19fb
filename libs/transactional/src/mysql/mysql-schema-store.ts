// SQL that looks at and creates the tables, on MariaDB 10.6 and MySQL 8.0 and later.
import type { OutboxDatabase } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import { mysqlMigration } from '../schema/mysql-migration.js';
import type { SchemaState, SchemaStore } from '../schema/schema-check.js';
import { bytes, marks, text } from './bytes.js';

export class MysqlSchemaStore implements SchemaStore {
  constructor(private readonly names: TableNames) {}

  async state(database: OutboxDatabase): Promise<SchemaState> {
    const { schema, outbox, cancel, inbox, lock } = this.names;
    const needed = [schema, outbox, cancel, inbox, lock];
    const found = await database.query<{ name: Buffer | string }>(
      `select cast(table_name as binary) as name from information_schema.tables
       where table_schema = database() and table_name in (${marks(needed)})`,
      needed,
    );
    const there = new Set(found.map(({ name }) => text(name)));
    const missing = needed.filter((name) => !there.has(name));
    if (missing.length > 0) return { missing };
    const rows = await database.query<{ version: string | number }>(
      `select version from ${schema} where component = ?`,
      [bytes('transactional')],
    );
    return { missing, version: rows[0] && Number(rows[0].version) };
  }

  /** Each statement commits by itself here; all of them may be run again, and by several processes at once. */
  async migrate(database: OutboxDatabase): Promise<void> {
    if ((await this.state(database)).version !== undefined) return;
    for (const statement of mysqlMigration(this.names.prefix)) await database.query(statement);
  }
}
