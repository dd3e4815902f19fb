// SQL of the cleaner, on PostgreSQL 12 and later.
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import type { CleanStore } from '../relay/table-cleaner.js';

export class PostgresCleanStore implements CleanStore {
  constructor(private readonly names: TableNames) {}

  deleteSent(sql: SqlExecutor, olderThanMs: number, max: number): Promise<number> {
    return deleteOld(sql, this.names.outbox, `state = 'sent' and sent_at`, 'sent_at', [olderThanMs, max]);
  }

  deleteHandled(sql: SqlExecutor, olderThanMs: number, max: number): Promise<number> {
    return deleteOld(sql, this.names.inbox, 'handled_at', 'handled_at', [olderThanMs, max]);
  }
}

async function deleteOld(
  sql: SqlExecutor,
  table: string,
  time: string,
  order: string,
  values: [olderThanMs: number, max: number],
): Promise<number> {
  const [row] = await sql.query<{ deleted: number }>(
    `with old as materialized (
       select ctid from ${table} where ${time} < clock_timestamp() - $1::float8 * interval '1 millisecond'
       order by ${order} limit $2 for update skip locked),
     deleted as (delete from ${table} where ctid in (select ctid from old) returning 1)
     select count(*)::int as deleted from deleted`,
    values,
  );
  return row!.deleted;
}
