// Rows that have not left, found by name first and then locked by number: see chosen-rows.ts.
import type { SqlExecutor } from '../database/outbox-database.js';
import { choice, chosen } from './chosen-rows.js';

export const LIVE = `o.state in ('pending', 'parked')`;

/** Waits while a relay is just sending one of them; gives those that are still there then. */
export async function lockLive(
  sql: SqlExecutor,
  outbox: string,
  found: readonly { readonly seq: string }[],
): Promise<{ seq: string; id: Buffer }[]> {
  if (found.length === 0) return [];
  return sql.query(
    `select cast(o.seq as char) as seq, cast(o.id as binary) as id from ${chosen(outbox)} where ${LIVE} for update`,
    [choice(found.map(({ seq }) => seq))],
  );
}

export async function deleteRows(sql: SqlExecutor, outbox: string, rows: readonly { seq: string }[]): Promise<void> {
  if (rows.length > 0) await sql.query(`delete o from ${chosen(outbox)}`, [choice(rows.map(({ seq }) => seq))]);
}
