// SQL of the sending side, on MariaDB 10.6 and MySQL 8.0 and later.
import type { MessageRef } from '@millrace/core';
import type { SqlExecutor } from '../database/outbox-database.js';
import type { NewRow } from '../outbox/outbox-row.js';
import type { OutboxStore } from '../outbox/outbox-store.js';
import { bytes, bytesOrNull, NOW } from './bytes.js';
import { choice, chosen } from './chosen-rows.js';
import { TURN_LOCK, turnOf } from './lock-rows.js';
import { MysqlOutboxAdminStore } from './mysql-outbox-admin-store.js';

const COLUMNS = `id, topic, tag, ordering_key, idempotency_key, partition_no, meta, size, delay_ms, deliver_at_ms, body,
  created_at, available_at`;
const VALUES = `?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${NOW}, ${NOW}`;

/**
 * Bodies in one statement, where they stand as hexadecimal text. MariaDB takes statements of 16 MiB by default, MySQL
 * of 64.
 */
const STATEMENT_BYTES = 4 * 1024 * 1024;

export class MysqlOutboxStore extends MysqlOutboxAdminStore implements OutboxStore {
  /**
   * An auto-increment number is given at insert, not at commit: without more, the later number could commit first, be
   * relayed first, and so overtake. For rows with an ordering key the row of its turn is locked until the end of the
   * transaction, before the number is drawn, so that inside a key a later number also means a later commit. InnoDB makes
   * a commit visible before it gives up the locks. Price: as on PostgreSQL, two transactions that write one key run one
   * after the other from there on; here in a few cases two keys share a turn.
   */
  async insert(sql: SqlExecutor, row: NewRow): Promise<void> {
    const { outbox, lock } = this.names;
    const { topic, orderingKey } = row;
    if (orderingKey === null) return this.insertRows(sql, [row]);
    await sql.query(
      `insert into ${outbox} (${COLUMNS}) select ${VALUES} from ${lock} l where l.kind = '${TURN_LOCK}' and l.no = ?
       for update`,
      [...valuesOf(row), turnOf(topic, orderingKey)],
    );
  }

  /** Turns are taken in the order of their numbers: two lists with the same keys cannot wait for each other. */
  async insertAll(sql: SqlExecutor, rows: readonly NewRow[]): Promise<void> {
    const { lock } = this.names;
    const turns = new Set(rows.flatMap(({ topic, orderingKey: key }) => (key === null ? [] : [turnOf(topic, key)])));
    if (turns.size > 0)
      await sql.query(
        `select l.no from json_table(?, '$[*]' columns (no bigint path '$')) k
           straight_join ${lock} l force index (primary) on l.kind = '${TURN_LOCK}' and l.no = k.no for update`,
        [JSON.stringify([...turns].toSorted((a, b) => a - b))],
      );
    let batch: NewRow[] = [];
    let size = 0;
    for (const row of rows) {
      if (batch.length > 0 && size + row.body.length > STATEMENT_BYTES) {
        await this.insertRows(sql, batch);
        batch = [];
        size = 0;
      }
      batch.push(row);
      size += row.body.length;
    }
    if (batch.length > 0) await this.insertRows(sql, batch);
  }

  private async insertRows(sql: SqlExecutor, rows: readonly NewRow[]): Promise<void> {
    const text = `insert into ${this.names.outbox} (${COLUMNS}) values ${rows.map(() => `(${VALUES})`).join(', ')}`;
    await sql.query(text, rows.flatMap(valuesOf));
  }

  /**
   * Looks without locks, then locks by primary key. A locking read through another index would lock that index first,
   * and so deadlock with the relay that holds the row and is about to delete it.
   */
  async cancel(sql: SqlExecutor, topic: string, ref: MessageRef): Promise<number> {
    const { outbox, cancel } = this.names;
    const byId = 'messageId' in ref;
    const key = byId ? undefined : [bytes(topic), bytes(ref.idempotencyKey), bytesOrNull(ref.orderingKey)];
    const live = `state in ('pending', 'parked')`;
    const found = await sql.query<{ seq: string }>(
      `select cast(seq as char) as seq from ${outbox} where topic = ? and ${live} and
         ${byId ? 'id = ?' : 'idempotency_key = ? and ordering_key <=> ?'}`,
      key ?? [bytes(topic), bytes((ref as { messageId: string }).messageId)],
    );
    const removed =
      found.length === 0
        ? []
        : await this.lockLive(
            sql,
            found.map(({ seq }) => seq),
          );
    if (removed.length > 0) await sql.query(`delete o from ${chosen(outbox)}`, [choice(removed.map(({ seq }) => seq))]);
    // Noted even for a row that was still there: a relay may have sent it and died before it could mark it. By key,
    // both are noted: the id of each removed row, and the key, under which an earlier row may have left.
    const ids = byId ? [bytes(ref.messageId)] : removed.map(({ id }) => id);
    const notes = ids.map((id): unknown[] => [bytes(topic), id, null, null]);
    if (key) notes.push([key[0], null, key[1], key[2]]);
    await sql.query(
      `insert into ${cancel} (topic, message_id, idempotency_key, ordering_key, available_at)
       values ${notes.map(() => `(?, ?, ?, ?, ${NOW})`).join(', ')}`,
      notes.flat(),
    );
    return removed.length;
  }

  /** Waits while a relay is just sending one of them. */
  private lockLive(sql: SqlExecutor, seqs: readonly string[]): Promise<{ seq: string; id: Buffer }[]> {
    return sql.query(
      `select cast(o.seq as char) as seq, o.id from ${chosen(this.names.outbox)}
       where o.state in ('pending', 'parked') for update`,
      [choice(seqs)],
    );
  }
}

function valuesOf(row: NewRow): unknown[] {
  const { id, topic, tag, orderingKey, idempotencyKey, partition, meta, delayMs, deliverAtMs, body } = row;
  const envelope = bytes(meta);
  const names = [bytes(id), bytes(topic), bytesOrNull(tag), bytesOrNull(orderingKey), bytesOrNull(idempotencyKey)];
  return [...names, partition, envelope, body.length + envelope.length, delayMs, deliverAtMs, body];
}
