// SQL of cancellations on their way to the broker, on PostgreSQL 12 and later.
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import type { Cancellation, CancellationStore } from '../relay/cancellation-store.js';

interface Columns {
  seq_text: string;
  topic: string;
  message_id: string | null;
  idempotency_key: string | null;
  ordering_key: string | null;
}

export class PostgresCancellationStore implements CancellationStore {
  constructor(private readonly names: TableNames) {}

  async lock(sql: SqlExecutor, max: number): Promise<Cancellation[]> {
    const rows = await sql.query<Columns>(
      `select seq::text as seq_text, topic, message_id, idempotency_key, ordering_key from ${this.names.cancel}
       where available_at <= clock_timestamp() order by seq limit $1 for update skip locked`,
      [max],
    );
    return rows.map((row) => ({ seq: row.seq_text, topic: row.topic, ref: refOf(row) }));
  }

  async removeRows(sql: SqlExecutor, seqs: readonly string[]): Promise<void> {
    const { cancel, outbox } = this.names;
    const meant = (name: string): string =>
      `select o.seq from ${cancel} c join ${outbox} o on o.aggregatetype = c.topic and o.seq < c.before_seq and ${name}
       where c.seq = any($1::bigint[]) and o.state in ('pending', 'parked') for update of o`;
    await sql.query(
      `with by_id as materialized (${meant('o.id = c.message_id')}),
       by_key as materialized (${meant(`o.idempotency_key = c.idempotency_key
         and case when o.partition_no is not null then o.aggregateid end is not distinct from c.ordering_key`)})
       delete from ${outbox} where seq in (select seq from by_id union select seq from by_key)`,
      [seqs],
    );
  }

  async remove(sql: SqlExecutor, seqs: readonly string[]): Promise<void> {
    await sql.query(`delete from ${this.names.cancel} where seq = any($1::bigint[])`, [seqs]);
  }

  async refuse(sql: SqlExecutor, seqs: readonly string[], delayMs: number, maxAttempts: number): Promise<void> {
    const { cancel } = this.names;
    await sql.query(
      `with given_up as (delete from ${cancel} where seq = any($1::bigint[]) and attempts + 1 >= $3::int)
       update ${cancel} set attempts = attempts + 1,
         available_at = clock_timestamp() + $2::float8 * interval '1 millisecond'
       where seq = any($1::bigint[]) and attempts + 1 < $3::int`,
      [seqs, delayMs, maxAttempts],
    );
  }
}

function refOf({ message_id, idempotency_key, ordering_key }: Columns): Cancellation['ref'] {
  if (message_id !== null) return { messageId: message_id };
  // One of the two is always there: see cancelText of the outbox store.
  const idempotencyKey = idempotency_key!;
  return ordering_key === null ? { idempotencyKey } : { idempotencyKey, orderingKey: ordering_key };
}
