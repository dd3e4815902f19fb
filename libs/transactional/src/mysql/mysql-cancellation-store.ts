// SQL of cancellations on their way to the broker, on MariaDB 10.6 and MySQL 8.0 and later.
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import type { Cancellation, CancellationStore } from '../relay/cancellation-store.js';
import { marks, NOW, text } from './bytes.js';
import { choice, chosen } from './chosen-rows.js';
import { deleteRows, LIVE, lockLive } from './live-rows.js';
import { ID, ORDERING_KEY, TOPIC } from './row-columns.js';

interface Columns {
  seq: string;
  topic: Buffer;
  message_id: Buffer | null;
  idempotency_key: Buffer | null;
  ordering_key: Buffer | null;
}

export class MysqlCancellationStore implements CancellationStore {
  constructor(private readonly names: TableNames) {}

  async lock(sql: SqlExecutor, max: number): Promise<Cancellation[]> {
    const { cancel } = this.names;
    // No index but the primary one is read: see mysql-relay-store.ts.
    const rows = await sql.query<Columns>(
      `select cast(seq as char) as seq, topic, message_id, idempotency_key, ordering_key from ${cancel}
       where available_at <= ${NOW} order by seq limit ? for update skip locked`,
      [max],
    );
    return rows.map((row) => ({ seq: text(row.seq), topic: text(row.topic), ref: refOf(row) }));
  }

  async removeRows(sql: SqlExecutor, seqs: readonly string[]): Promise<void> {
    const { cancel, outbox } = this.names;
    // Each way by its index: names that look alike to the server are told apart by their bytes.
    const meant = (index: string, name: string): string =>
      `select cast(o.seq as char) as seq from ${cancel} c straight_join ${outbox} o force index (${outbox}_${index})
         on ${name} and ${TOPIC} = c.topic and o.seq < c.before_seq and ${LIVE}
       where c.seq in (${marks(seqs)})`;
    const id = `${asText('c.message_id')} = o.id and ${ID} = c.message_id`;
    const key = `${asText('c.topic')} = o.aggregatetype and o.idempotency_key = c.idempotency_key
      and ${ORDERING_KEY} <=> c.ordering_key`;
    const found = await sql.query<{ seq: string }>(
      `${meant('id', id)} union ${meant('key', key)}`,
      [...seqs, ...seqs].map(Number),
    );
    const inOrder = found.toSorted((a, b) => Number(a.seq) - Number(b.seq));
    await deleteRows(sql, outbox, await lockLive(sql, outbox, inOrder));
  }

  async remove(sql: SqlExecutor, seqs: readonly string[]): Promise<void> {
    await sql.query(`delete o from ${chosen(this.names.cancel)}`, [choice(seqs)]);
  }

  async refuse(sql: SqlExecutor, seqs: readonly string[], delayMs: number, maxAttempts: number): Promise<void> {
    const { cancel } = this.names;
    await sql.query(`delete o from ${chosen(cancel)} where o.attempts + 1 >= ?`, [choice(seqs), maxAttempts]);
    await sql.query(
      `update ${chosen(cancel)}
       set o.attempts = o.attempts + 1, o.available_at = timestampadd(microsecond, ?, ${NOW})`,
      [choice(seqs), Math.round(delayMs * 1000)],
    );
  }
}

function asText(column: string): string {
  return `convert(${column} using utf8mb4) collate utf8mb4_bin`;
}

function refOf({ message_id, idempotency_key, ordering_key }: Columns): Cancellation['ref'] {
  if (message_id !== null) return { messageId: text(message_id) };
  // One of the two is always there: see `cancel` of the outbox store.
  const idempotencyKey = text(idempotency_key!);
  return ordering_key === null ? { idempotencyKey } : { idempotencyKey, orderingKey: text(ordering_key) };
}
