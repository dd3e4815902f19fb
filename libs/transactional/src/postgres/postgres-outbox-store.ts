// SQL of the sending side, on PostgreSQL 12 and later.
import type { MessageRef } from '@millrace/core';
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import type { NewRow } from '../outbox/outbox-row.js';
import { PARTITIONS } from '../outbox/outbox-row.js';
import { ORDERING_KEY } from './row-columns.js';
import type { OutboxBacklog, OutboxStore, ParkedRow } from '../outbox/outbox-store.js';
import { cancelText } from './cancel-text.js';
import { insertAllText, insertAllValues } from './insert-all.js';
import { insertText } from './insert-text.js';

/** Counting further would read a whole backlog for a number that is bad enough already. */
const COUNT_LIMIT = 100_000;

export class PostgresOutboxStore implements OutboxStore {
  constructor(private readonly names: TableNames) {}

  async insert(sql: SqlExecutor, row: NewRow, notify: boolean): Promise<void> {
    const { id, topic, tag, orderingKey, aggregateId, idempotencyKey, partition, meta } = row;
    const due = [row.delayMs, row.deliverAtMs];
    const values = [id, topic, tag, aggregateId, idempotencyKey, partition, meta, ...due, row.body];
    if (orderingKey !== null) values.push(`${topic}\n${orderingKey}`);
    await sql.query(insertText(this.names, orderingKey !== null, notify), values);
  }

  async insertAll(sql: SqlExecutor, rows: readonly NewRow[], notify: boolean): Promise<void> {
    if (rows.length > 0) await sql.query(insertAllText(this.names, notify), insertAllValues(rows));
  }

  async cancel(sql: SqlExecutor, topic: string, ref: MessageRef, notify: boolean): Promise<number> {
    const byId = 'messageId' in ref;
    const names = byId ? [ref.messageId] : [ref.idempotencyKey, ref.orderingKey ?? null];
    const text = cancelText(this.names, byId ? 'id' : 'key', notify);
    const [counted] = await sql.query<{ removed: number }>(text, [topic, ...names]);
    return counted!.removed;
  }

  /** Nothing is written, so the commit, and with it the lock of notifications, need not wait for the disk. */
  async notify(sql: SqlExecutor): Promise<void> {
    const text = `select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`;
    await sql.query(text, [this.names.channel, '']);
  }

  async backlog(sql: SqlExecutor): Promise<OutboxBacklog> {
    const { outbox, cancel } = this.names;
    const oldest = (which: string): string =>
      `(select created_at from ${outbox} where state = 'pending' and ${which} order by partition_no, seq limit 1)`;
    const [row] = await sql.query<{ pending: number; parked: number; cancelling: number; age: number | null }>(
      `select ${countOf(`${outbox} where state = 'pending'`)} as pending,
         ${countOf(`${outbox} where state = 'parked'`)} as parked,
         ${countOf(cancel)} as cancelling,
         (select extract(epoch from clock_timestamp() - min(created_at)) * 1000 from (
            ${oldest('partition_no is null')}
            union all
            select head.created_at from generate_series(0, ${PARTITIONS - 1}) p
              cross join lateral ${oldest('partition_no = p')} head) heads)::int8::float8 as age`,
    );
    const { pending, parked, cancelling, age } = row!;
    return { pending, parked, cancelling, oldestAgeMs: age === null ? undefined : Math.max(0, age) };
  }

  async parked(sql: SqlExecutor, page: { offset: number; limit: number }): Promise<ParkedRow[]> {
    const rows = await sql.query<ParkedColumns>(
      `select id, aggregatetype as topic, ${ORDERING_KEY} as ordering_key, attempts, last_error,
         (extract(epoch from created_at) * 1000)::float8 as created_ms
       from ${this.names.outbox} where state = 'parked' order by seq offset $1 limit $2`,
      [page.offset, page.limit],
    );
    return rows.map((row) => ({
      messageId: row.id,
      topic: row.topic,
      orderingKey: row.ordering_key ?? undefined,
      attempts: row.attempts,
      error: row.last_error ?? '',
      createdAt: new Date(row.created_ms),
    }));
  }

  async resume(sql: SqlExecutor, messageIds: readonly string[]): Promise<string[]> {
    const rows = await sql.query<{ id: string }>(
      `with resumed as (
         update ${this.names.outbox} set state = 'pending', attempts = 0, available_at = clock_timestamp()
         where state = 'parked' and id = any($1::text[]) returning id)
       select id from resumed cross join (select pg_notify($2, '')) as woken`,
      [messageIds, this.names.channel],
    );
    return rows.map((row) => row.id);
  }

  async discard(sql: SqlExecutor, messageIds: readonly string[]): Promise<string[]> {
    const rows = await sql.query<{ id: string }>(
      `with discarded as (delete from ${this.names.outbox} where state = 'parked' and id = any($1::text[]) returning id)
       select id from discarded cross join (select pg_notify($2, '')) as woken`,
      [messageIds, this.names.channel],
    );
    return rows.map((row) => row.id);
  }
}

function countOf(from: string): string {
  return `(select count(*) from (select 1 from ${from} limit ${COUNT_LIMIT}) c)::int`;
}

interface ParkedColumns {
  id: string;
  topic: string;
  ordering_key: string | null;
  attempts: number;
  last_error: string | null;
  created_ms: number;
}
