// SQL that looks at and creates the tables, on PostgreSQL 12 and later.
import type { OutboxDatabase } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import { outboxMigration } from '../schema/migration.js';
import type { SchemaState, SchemaStore } from '../schema/schema-check.js';

export class PostgresSchemaStore implements SchemaStore {
  constructor(private readonly names: TableNames) {}

  async state(database: OutboxDatabase): Promise<SchemaState> {
    const { schema, outbox, cancel, inbox } = this.names;
    const missing = await database.query<{ name: string }>(
      'select name from unnest($1::text[]) as name where to_regclass(name) is null',
      [[schema, outbox, cancel, inbox]],
    );
    if (missing.length > 0) return { missing: missing.map((row) => row.name) };
    const rows = await database.query<{ version: number }>(
      `select version from ${schema} where component = 'transactional'`,
    );
    return { missing: [], version: rows[0]?.version };
  }

  async migrate(database: OutboxDatabase): Promise<void> {
    // What is there is left to the check, which tells better than a failing statement.
    if ((await this.state(database)).version !== undefined) return;
    await database.transaction(async (tx) => {
      const sql = database.executor(tx);
      // `if not exists` is no protection against two processes that create the same table at the same moment.
      await sql.query('select pg_advisory_xact_lock(hashtextextended($1::text, 0))', [
        `millrace migrate ${this.names.prefix}`,
      ]);
      await sql.query(outboxMigration(this.names.prefix));
    });
  }
}
