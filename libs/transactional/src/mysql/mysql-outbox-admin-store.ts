// SQL of the operator's side of the outbox, on MariaDB 10.6 and MySQL 8.0 and later.
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import type { OutboxBacklog, OutboxStore, ParkedRow } from '../outbox/outbox-store.js';
import { bytes, epochMs, marks, NOW, numberOrNull, text } from './bytes.js';
import { choice, chosen } from './chosen-rows.js';
import { PARTITION_LOCK } from './lock-rows.js';
import { ID, ORDERING_KEY, TOPIC } from './row-columns.js';

/** Counting further would read a whole backlog for a number that is bad enough already. */
const COUNT_LIMIT = 100_000;

interface ParkedColumns {
  id: Buffer;
  topic: Buffer;
  ordering_key: Buffer | null;
  attempts: string | number;
  last_error: Buffer | null;
  created_ms: string | number;
}

export class MysqlOutboxAdminStore implements Omit<OutboxStore, 'insert' | 'insertAll' | 'cancel'> {
  constructor(protected readonly names: TableNames) {}

  async backlog(sql: SqlExecutor): Promise<OutboxBacklog> {
    const { outbox, cancel, lock } = this.names;
    const oldest = (which: string): string =>
      `(select o.created_at from ${outbox} o where o.state = 'pending' and ${which} order by o.seq limit 1)`;
    const [row] = await sql.query<Record<'pending' | 'parked' | 'cancelling' | 'age', string | number | null>>(
      `select ${countOf(`${outbox} where state = 'pending'`)} as pending,
         ${countOf(`${outbox} where state = 'parked'`)} as parked, ${countOf(cancel)} as cancelling,
         (select timestampdiff(microsecond, min(h.head), ${NOW}) / 1000 from (
            select ${oldest('o.partition_no is null')} as head
            union all
            select ${oldest('o.partition_no = l.no')} from ${lock} l where l.kind = '${PARTITION_LOCK}') h) as age`,
    );
    const age = numberOrNull(row!.age);
    return {
      pending: Number(row!.pending),
      parked: Number(row!.parked),
      cancelling: Number(row!.cancelling),
      oldestAgeMs: age === null ? undefined : Math.max(0, age),
    };
  }

  async parked(sql: SqlExecutor, page: { offset: number; limit: number }): Promise<ParkedRow[]> {
    const rows = await sql.query<ParkedColumns>(
      `select ${ID} as id, ${TOPIC} as topic, ${ORDERING_KEY} as ordering_key, o.attempts, o.last_error,
         ${epochMs('o.created_at')} as created_ms
       from ${this.names.outbox} o where o.state = 'parked' order by o.seq limit ? offset ?`,
      [page.limit, page.offset],
    );
    return rows.map((row) => ({
      messageId: text(row.id),
      topic: text(row.topic),
      orderingKey: row.ordering_key === null ? undefined : text(row.ordering_key),
      attempts: Number(row.attempts),
      error: row.last_error === null ? '' : text(row.last_error),
      createdAt: new Date(Number(row.created_ms)),
    }));
  }

  async resume(sql: SqlExecutor, messageIds: readonly string[]): Promise<string[]> {
    const { outbox } = this.names;
    return this.onParked(
      sql,
      messageIds,
      `update ${chosen(outbox)} set o.state = 'pending', o.attempts = 0, o.available_at = ${NOW}`,
    );
  }

  async discard(sql: SqlExecutor, messageIds: readonly string[]): Promise<string[]> {
    return this.onParked(sql, messageIds, `delete o from ${chosen(this.names.outbox)}`);
  }

  private async onParked(sql: SqlExecutor, messageIds: readonly string[], change: string): Promise<string[]> {
    if (messageIds.length === 0) return [];
    const wanted = new Set(messageIds);
    const found = await sql.query<{ seq: string; id: Buffer }>(
      `select cast(o.seq as char) as seq, ${ID} as id from ${this.names.outbox} o
       where o.state = 'parked' and o.id in (${marks(messageIds)})`,
      messageIds.map(bytes),
    );
    const rows = found.filter(({ id }) => wanted.has(text(id)));
    if (rows.length === 0) return [];
    await sql.query(`${change} where o.state = 'parked'`, [choice(rows.map(({ seq }) => seq))]);
    return rows.map(({ id }) => text(id));
  }
}

function countOf(from: string): string {
  return `(select count(*) from (select 1 from ${from} limit ${COUNT_LIMIT}) c)`;
}
