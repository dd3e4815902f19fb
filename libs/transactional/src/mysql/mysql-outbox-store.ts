// SQL of the sending side, on MariaDB 10.6 and MySQL 8.0 and later.
import type { MessageRef } from '@millrace/core';
import type { SqlExecutor } from '../database/outbox-database.js';
import type { NewRow } from '../outbox/outbox-row.js';
import type { OutboxStore } from '../outbox/outbox-store.js';
import { bytes, bytesOrNull, NOW } from './bytes.js';
import { deleteRows, LIVE, lockLive } from './live-rows.js';
import { TURN_LOCK, turnOf } from './lock-rows.js';
import { MysqlOutboxAdminStore } from './mysql-outbox-admin-store.js';
import { ID, ORDERING_KEY } from './row-columns.js';

const COLUMNS = `id, aggregatetype, type, aggregateid, idempotency_key, partition_no, meta, size, delay_ms,
  deliver_at_ms, payload, created_at, available_at`;
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
    const wanted = byId ? bytes(ref.messageId) : undefined;
    const found = await sql.query<{ seq: string }>(
      `select cast(o.seq as char) as seq from ${outbox} o where o.aggregatetype = ? and ${LIVE} and
         ${wanted ? `o.id = ? and ${ID} = ?` : `o.idempotency_key = ? and ${ORDERING_KEY} <=> ?`}`,
      key ?? [bytes(topic), wanted, wanted],
    );
    const removed = await lockLive(sql, outbox, found);
    await deleteRows(sql, outbox, removed);
    // Noted even for a row that was still there: a relay may have sent it and died before it could mark it. By key,
    // both are noted: the id of each removed row, and the key, under which an earlier row may have left.
    const ids = byId ? [bytes(ref.messageId)] : removed.map(({ id }) => id);
    const notes = ids.map((id): unknown[] => [bytes(topic), id, null, null]);
    if (key) notes.push([key[0], null, key[1], key[2]]);
    await sql.query(
      `insert into ${cancel} (topic, message_id, idempotency_key, ordering_key, before_seq, available_at)
       values ${notes.map(() => `(?, ?, ?, ?, ${nextSeq(outbox)}, ${NOW})`).join(', ')}`,
      notes.flat(),
    );
    return removed.length;
  }
}

/**
 * The number that the next row gets. Under REPEATABLE READ nothing else tells of rows that were committed since the
 * transaction began: those of the name below it are removed by the relay, which sees them. (MySQL caches it unless
 * information_schema_stats_expiry is 0; a number that is too low means that fewer rows are found.)
 */
function nextSeq(outbox: string): string {
  return `(select t.\`auto_increment\` from information_schema.tables t
    where t.table_schema = database() and t.table_name = '${outbox}')`;
}

function valuesOf(row: NewRow): unknown[] {
  const { id, topic, tag, aggregateId, idempotencyKey, partition, meta, delayMs, deliverAtMs, body } = row;
  const envelope = bytes(meta);
  const names = [bytes(id), bytes(topic), bytesOrNull(tag), bytes(aggregateId), bytesOrNull(idempotencyKey)];
  return [...names, partition, envelope, body.length + envelope.length, delayMs, deliverAtMs, body];
}
