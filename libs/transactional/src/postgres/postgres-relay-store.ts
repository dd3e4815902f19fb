// SQL of the relay, on PostgreSQL 12 and later.
//
// The statistics of a table that fills and empties are always stale, so nothing here leaves the planner a choice:
// literals of the partial index's condition, an order that only this index has, no joins. Bodies are read by number,
// afterwards.
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import { PARTITIONS, type OutboxRow } from '../outbox/outbox-row.js';
import type { BatchLimit, FailedRow, OrderedHead, RelayStore, RelayWork } from '../relay/relay-store.js';
import { lockOf } from './advisory-lock.js';
import { outboxRow, ROW_COLUMNS, type RowColumns } from './row-columns.js';

/**
 * A relay that is frozen (a stopped process, a paused machine) keeps its connection, and with it its locks. After this
 * time the server ends its transaction, so that others go on. Longer than the producer's send deadline (30 s): a live
 * relay never loses its locks while it sends.
 */
const FROZEN_AFTER = '60s';

/**
 * A table that was empty when its statistics were taken looks as if sorting all of it cost nothing. The index on pending
 * rows gives every order asked for here.
 */
const BY_INDEX = 'set local enable_sort = off; set local enable_bitmapscan = off; set local enable_seqscan = off';

const DUE = `o.state = 'pending' and o.available_at <= clock_timestamp()`;
/**
 * A partition as a range: with `=` the order would be that of `seq` alone, which the primary key has too. Freshly
 * analysed, the planner then takes that one, and each probe walks over the rows of all other partitions, dead ones too.
 */
const inPartition = (p: string): string => `o.partition_no between ${p} and ${p}`;
/** The order of the index on pending rows; see migration.ts. */
const INDEXED = 'order by o.partition_no, o.seq';
const SIZE = 'octet_length(o.payload) + octet_length(o.meta) as size';

interface Sized {
  seq_text: string;
  size: number;
}

export class PostgresRelayStore implements RelayStore {
  constructor(private readonly names: TableNames) {}

  async work(sql: SqlExecutor): Promise<RelayWork> {
    const [work] = await sql.query<RelayWork>(
      `select exists (select 1 from ${this.names.cancel} where available_at <= clock_timestamp()) as cancellations,
         ${this.hasDue('o.partition_no is null')} as free, ${this.hasDue('o.partition_no is not null')} as ordered`,
    );
    return work!;
  }

  /**
   * The commit does not wait for the disk: one that a crash of the server takes back gives rows back, as a crash of ours
   * does, and sends of the same ids are recognised.
   */
  async begin(sql: SqlExecutor): Promise<void> {
    await sql.query(
      `set transaction isolation level read committed; set local synchronous_commit = off;
       set local idle_in_transaction_session_timeout = '${FROZEN_AFTER}'; ${BY_INDEX}`,
    );
  }

  async lockFree(sql: SqlExecutor, limit: BatchLimit): Promise<OutboxRow[]> {
    // One round trip: the sum runs in the order of the rows below it, and leaves long bodies where they are until then.
    const rows = await sql.query<RowColumns>(
      `select r.* from (
         select l.*, sum(l.size) over (rows between unbounded preceding and current row) - l.size as before from (
           select ${ROW_COLUMNS}, ${SIZE} from ${this.names.outbox} o
           where ${DUE} and o.partition_no is null and not ${this.awaitsCancellation()}
           ${INDEXED} limit $1 for update of o skip locked) l) r
       where r.before < $2::float8`,
      [limit.rows, limit.bytes],
    );
    return rows.map(outboxRow);
  }

  async leasePartitions(sql: SqlExecutor, max: number): Promise<number[]> {
    // Materialised, so that locks are tried one by one until there are enough: the planner would else try them all. At
    // random, so that several relays do not queue up at the same ones.
    const rows = await sql.query<{ partition: number }>(
      `with busy as materialized (
         select p as partition from generate_series(0, ${PARTITIONS - 1}) p where ${this.hasDue(inPartition('p'))}
         order by random())
       select partition from busy
       where pg_try_advisory_xact_lock(${lockOf(this.names.outbox, `'partition ' || partition`)}) limit $1`,
      [max],
    );
    return rows.map((row) => row.partition);
  }

  async lockOrdered(sql: SqlExecutor, partitions: readonly number[], limit: BatchLimit): Promise<OrderedHead[]> {
    const { outbox } = this.names;
    const heads = await sql.query<Sized & { topic: string; ordering_key: string; waits: boolean }>(
      `with blocked as materialized (
         select distinct o.aggregatetype, o.aggregateid from ${outbox} o
         where o.partition_no = any($1::int[]) and o.state <> 'sent' and o.attempts > 0
           and (o.state = 'parked' or o.available_at > clock_timestamp()))
       select head.* from unnest($1::int[]) as p cross join lateral (
         select o.seq::text as seq_text, ${SIZE}, o.aggregatetype as topic, o.aggregateid as ordering_key,
           ${this.awaitsCancellation()} as waits
         from ${outbox} o
         where ${inPartition('p')} and o.state = 'pending'
           and (o.aggregatetype, o.aggregateid) not in (select b.aggregatetype, b.aggregateid from blocked b)
         ${INDEXED} limit $2) head`,
      [partitions, Math.ceil(limit.rows / partitions.length)],
    );
    const taken = withinBytes(heads, limit.bytes);
    if (taken.length === 0) return [];
    const rows = await sql.query<RowColumns>(
      `select ${ROW_COLUMNS} from ${outbox} o where o.seq = any($1::bigint[]) and o.state = 'pending'
       order by o.seq for update of o skip locked`,
      [taken.filter((head) => !head.waits).map((head) => head.seq_text)],
    );
    const locked = new Map(rows.map((row) => [row.seq_text, outboxRow(row)]));
    return taken.map(({ seq_text, topic, ordering_key }) => ({
      topic,
      orderingKey: ordering_key,
      row: locked.get(seq_text),
    }));
  }

  async markSent(sql: SqlExecutor, seqs: readonly string[], keep: boolean): Promise<void> {
    await sql.query(
      keep
        ? `update ${this.names.outbox} set state = 'sent', sent_at = clock_timestamp(), last_error = null
           where seq = any($1::bigint[])`
        : `delete from ${this.names.outbox} where seq = any($1::bigint[])`,
      [seqs],
    );
  }

  async markFailed(sql: SqlExecutor, rows: readonly FailedRow[], maxAttempts: number): Promise<string[]> {
    const updated = await sql.query<{ id: string; state: string }>(
      `update ${this.names.outbox} o set attempts = o.attempts + 1, last_error = f.error,
         available_at = clock_timestamp() + f.delay_ms * interval '1 millisecond',
         state = case when o.attempts + 1 >= $4::int then 'parked' else 'pending' end
       from unnest($1::bigint[], $2::text[], $3::float8[]) as f(seq, error, delay_ms)
       where o.seq = f.seq returning o.id, o.state`,
      [rows.map((row) => row.seq), rows.map((row) => row.error), rows.map((row) => row.delayMs), maxAttempts],
    );
    return updated.filter((row) => row.state === 'parked').map((row) => row.id);
  }

  /** One probe of the index. (`exists` would drop the order, and with it the index.) */
  private hasDue(partition: string): string {
    return `((select o.seq from ${this.names.outbox} o where ${DUE} and ${partition} ${INDEXED} limit 1) is not null)`;
  }

  /**
   * A send must not overtake the cancellation of an earlier send under the same name: it would be the one cancelled.
   */
  private awaitsCancellation(): string {
    const { cancel } = this.names;
    return `(exists (select 1 from ${cancel} c where c.topic = o.aggregatetype and c.message_id = o.id)
      or exists (select 1 from ${cancel} c where c.topic = o.aggregatetype and c.idempotency_key = o.idempotency_key
        and c.ordering_key is not distinct from case when o.partition_no is not null then o.aggregateid end))`;
  }
}

/** The first rows until so many bytes are reached; never none. */
function withinBytes<R extends Sized>(rows: readonly R[], bytes: number): R[] {
  let sum = 0;
  return rows.filter((row) => {
    const fits = sum < bytes;
    sum += row.size;
    return fits;
  });
}
