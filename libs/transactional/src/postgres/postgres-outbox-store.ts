// SQL of the sending side, on PostgreSQL 12 and later.
import type { MessageRef } from '@millrace/core';
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import type { NewRow } from '../outbox/outbox-row.js';
import { PARTITIONS } from '../outbox/outbox-row.js';
import { lockOf } from './advisory-lock.js';
import type { OutboxBacklog, OutboxStore, ParkedRow } from '../outbox/outbox-store.js';
import { insertAllText, insertAllValues } from './insert-all.js';

/** Counting further would read a whole backlog for a number that is bad enough already. */
const COUNT_LIMIT = 100_000;

export class PostgresOutboxStore implements OutboxStore {
  private readonly insertFree: string;
  private readonly insertOrdered: string;
  private readonly cancelById: string;
  private readonly cancelByKey: string;

  constructor(private readonly names: TableNames) {
    this.insertFree = insertText(names, false);
    this.insertOrdered = insertText(names, true);
    this.cancelById = cancelText(names, 'id = $3::text', 'select $2::text, $3::text, null::text, null::text');
    this.cancelByKey = cancelText(
      names,
      'idempotency_key = $3::text and ordering_key is not distinct from $4::text',
      `select $2::text, id, null::text, null::text from removed
       union all select $2::text, null::text, $3::text, $4::text`,
    );
  }

  async insert(sql: SqlExecutor, row: NewRow): Promise<void> {
    const { id, topic, tag, orderingKey, idempotencyKey, partition, meta, delayMs, deliverAtMs, body } = row;
    const due = [delayMs, deliverAtMs];
    const values = [this.names.channel, id, topic, tag, orderingKey, idempotencyKey, partition, meta, ...due, body];
    if (orderingKey === null) await sql.query(this.insertFree, values);
    else await sql.query(this.insertOrdered, [...values, `${topic}\n${orderingKey}`]);
  }

  async insertAll(sql: SqlExecutor, rows: readonly NewRow[]): Promise<void> {
    if (rows.length > 0) await sql.query(insertAllText(this.names), insertAllValues(this.names, rows));
  }

  async cancel(sql: SqlExecutor, topic: string, ref: MessageRef): Promise<number> {
    const byId = 'messageId' in ref;
    const names = byId ? [ref.messageId] : [ref.idempotencyKey, ref.orderingKey ?? null];
    const text = byId ? this.cancelById : this.cancelByKey;
    const [counted] = await sql.query<{ removed: number }>(text, [this.names.channel, topic, ...names]);
    return counted!.removed;
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
      `select id, topic, ordering_key, attempts, last_error,
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

/**
 * A sequence gives its numbers at insert, not at commit: without more, the later number could commit first, be relayed
 * first, and so overtake. For rows with an ordering key a lock on the key, held until the end of the transaction, is
 * taken before the number is drawn (the insert's source rows come from the lock's row), so that inside a key a later
 * number also means a later commit. PostgreSQL makes a commit visible before it gives up the locks, so a relay that
 * sees a row sees all earlier ones of its key. Price: two transactions that write the same key run one after the other
 * from there on, and keys should be written in the same order everywhere, else PostgreSQL ends one of the two as a
 * deadlock.
 *
 * PostgreSQL folds equal notifications of a transaction into one, so each insert may ask for it.
 */
function insertText({ outbox }: TableNames, ordered: boolean): string {
  return `with woken as materialized (select pg_notify($1, ''))${
    ordered ? `, turn as materialized (select pg_advisory_xact_lock(${lockOf(outbox, '$12::text')}))` : ''
  }
    insert into ${outbox}
      (id, topic, tag, ordering_key, idempotency_key, partition_no, meta, delay_ms, deliver_at, body)
    select $2::text, $3::text, $4::text, $5::text, $6::text, $7::smallint, $8::text, $9::bigint,
      to_timestamp($10::float8 / 1000), $11::bytea
    from woken${ordered ? ' cross join turn' : ''}`;
}

/**
 * The cancellation is noted even for a row that was still there: a relay may have sent it and died before it could mark
 * it. By key, both are noted: the id of each removed row, and the key, under which an earlier row may have left.
 */
function cancelText({ outbox, cancel }: TableNames, which: string, notes: string): string {
  return `with removed as (
      delete from ${outbox} where topic = $2::text and state in ('pending', 'parked') and ${which} returning id),
    noted as (insert into ${cancel} (topic, message_id, idempotency_key, ordering_key) ${notes})
    select (select count(*) from removed)::int as removed from (select pg_notify($1, '')) as woken`;
}
