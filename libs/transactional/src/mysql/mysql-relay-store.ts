// SQL of the relay, on MariaDB 10.6 and MySQL 8.0 and later.
//
// No locking read goes through a secondary index: it would lock the index before the row, and so deadlock with whoever
// holds the row and changes it. Every statement looks without locks first, then locks by primary key, skipping what
// others hold. The transactions run READ COMMITTED (see mysql-session.ts): no locks on gaps, and each statement sees
// what is committed when it begins.
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import type { OutboxRow } from '../outbox/outbox-row.js';
import type { BatchLimit, FailedRow, OrderedHead, RelayStore, RelayWork } from '../relay/relay-store.js';
import { bytes, marks, NOW, text } from './bytes.js';
import { choice, chosen } from './chosen-rows.js';
import { PARTITION_LOCK } from './lock-rows.js';
import { ID, ORDERING_KEY, outboxRow, ROW_COLUMNS, TOPIC, type RowColumns } from './row-columns.js';

/**
 * A relay that is frozen keeps its connection, and with it its locks. After this time the server drops the connection.
 * Longer than the producer's send deadline (30 s): a live relay never loses its locks while it sends.
 */
const FROZEN_AFTER_S = 60;
/** So many relays find rows at the same time: each looks at that many batches and locks one. */
const RELAYS_AT_ONCE = 4;

const DUE = `o.state = 'pending' and o.available_at <= ${NOW}`;

interface Sized {
  seq: string;
  size: string | number;
}

export class MysqlRelayStore implements RelayStore {
  constructor(private readonly names: TableNames) {}

  async work(sql: SqlExecutor): Promise<RelayWork> {
    const { outbox, cancel } = this.names;
    const hasDue = (which: string): string =>
      `exists (select 1 from ${outbox} o where ${DUE} and o.partition_no ${which})`;
    const [work] = await sql.query<Record<keyof RelayWork, string | number>>(
      `select exists (select 1 from ${cancel} where available_at <= ${NOW}) as cancellations,
         ${hasDue('is null')} as free, ${hasDue('is not null')} as ordered`,
    );
    const { cancellations, free, ordered } = work!;
    return { cancellations: Number(cancellations) > 0, free: Number(free) > 0, ordered: Number(ordered) > 0 };
  }

  async begin(sql: SqlExecutor): Promise<void> {
    await sql.query(`set @millrace_wait = @@session.wait_timeout, session wait_timeout = ${FROZEN_AFTER_S}`);
  }

  /** The connection goes back to the pool with its own time-out. */
  async end(sql: SqlExecutor): Promise<void> {
    await sql.query('set session wait_timeout = @millrace_wait');
  }

  async lockFree(sql: SqlExecutor, limit: BatchLimit): Promise<OutboxRow[]> {
    const { outbox } = this.names;
    const due = await sql.query<Sized>(
      `select cast(o.seq as char) as seq, o.size from ${outbox} o
       where ${DUE} and o.partition_no is null and not ${this.awaitsCancellation()} order by o.seq limit ?`,
      [limit.rows * RELAYS_AT_ONCE],
    );
    if (due.length === 0) return [];
    const locked = await sql.query<Sized>(
      `select cast(o.seq as char) as seq, o.size from ${chosen(outbox)} where o.state = 'pending' limit ?
       for update skip locked`,
      [choice(due.map(({ seq }) => seq)), limit.rows],
    );
    const taken = withinBytes(locked, limit.bytes).map(({ seq }) => seq);
    if (taken.length === 0) return [];
    // Asked again now that the row is locked: the cancellation may have been committed since the first look.
    const rows = await sql.query<RowColumns>(
      `select ${ROW_COLUMNS} from ${chosen(outbox)} where not ${this.awaitsCancellation()}`,
      [choice(taken)],
    );
    return rows.map(outboxRow);
  }

  async leasePartitions(sql: SqlExecutor, max: number): Promise<number[]> {
    const { outbox, lock } = this.names;
    // At random, so that several relays do not queue up at the same ones.
    const busy = await sql.query<{ no: string | number }>(
      `select l.no from ${lock} l where l.kind = '${PARTITION_LOCK}'
         and exists (select 1 from ${outbox} o where ${DUE} and o.partition_no = l.no) order by rand()`,
    );
    const waiting = busy.map(({ no }) => Number(no));
    const leased: number[] = [];
    while (leased.length < max && waiting.length > 0) {
      const tried = waiting.splice(0, max - leased.length);
      const rows = await sql.query<{ no: string | number }>(
        `select no from ${lock} where kind = '${PARTITION_LOCK}' and no in (${marks(tried)}) for update skip locked`,
        tried,
      );
      leased.push(...rows.map(({ no }) => Number(no)));
    }
    return leased;
  }

  async lockOrdered(sql: SqlExecutor, partitions: readonly number[], limit: BatchLimit): Promise<OrderedHead[]> {
    const { outbox } = this.names;
    // One consistent view for all: read row by row, a later row of a key could be seen without the earlier one.
    const head = `(select cast(o.seq as char) as seq, o.size, ${TOPIC} as topic, ${ORDERING_KEY} as ordering_key,
        ${this.awaitsCancellation()} as waits
      from ${outbox} o left join blocked b on b.topic = ${TOPIC} and b.ordering_key = ${ORDERING_KEY}
      where o.partition_no = ? and o.state = 'pending' and b.topic is null order by o.seq limit ?)`;
    const rowsEach = Math.ceil(limit.rows / partitions.length);
    const heads = await sql.query<Sized & { topic: Buffer; ordering_key: Buffer; waits: string | number }>(
      `with blocked as (
         select distinct ${TOPIC} as topic, ${ORDERING_KEY} as ordering_key from ${outbox} o
         where o.partition_no in (${marks(partitions)}) and o.attempts > 0
           and (o.state = 'parked' or (o.state = 'pending' and o.available_at > ${NOW})))
       ${partitions.map(() => head).join(' union all ')}`,
      [...partitions, ...partitions.flatMap((partition) => [partition, rowsEach])],
    );
    const taken = withinBytes(heads, limit.bytes);
    const free = taken.filter(({ waits }) => Number(waits) === 0).map(({ seq }) => seq);
    const rows =
      free.length === 0
        ? []
        : await sql.query<RowColumns>(
            `select ${ROW_COLUMNS} from ${chosen(outbox)} where o.state = 'pending' for update skip locked`,
            [choice(free)],
          );
    const locked = new Map(rows.map((row) => [text(row.seq_text), outboxRow(row)]));
    return taken.map(({ seq, topic, ordering_key }) => ({
      topic: text(topic),
      orderingKey: text(ordering_key),
      row: locked.get(text(seq)),
    }));
  }

  async markSent(sql: SqlExecutor, seqs: readonly string[], keep: boolean): Promise<void> {
    const { outbox } = this.names;
    await sql.query(
      keep
        ? `update ${chosen(outbox)} set o.state = 'sent', o.sent_at = ${NOW}, o.last_error = null`
        : `delete o from ${chosen(outbox)}`,
      [choice(seqs)],
    );
  }

  async markFailed(sql: SqlExecutor, rows: readonly FailedRow[], maxAttempts: number): Promise<string[]> {
    const { outbox } = this.names;
    const refused = rows.map(({ seq, error, delayMs }) => ({
      seq: Number(seq),
      micros: Math.round(delayMs * 1000),
      error: bytes(error).toString('base64'),
    }));
    const columns = `seq bigint path '$.seq', micros bigint path '$.micros', error longtext path '$.error'`;
    const first = `straight_join ${outbox} o force index (primary) on o.seq = f.seq`;
    await sql.query(
      `update json_table(?, '$[*]' columns (${columns})) f ${first}
       set o.attempts = o.attempts + 1, o.last_error = from_base64(f.error),
         o.available_at = timestampadd(microsecond, f.micros, ${NOW})`,
      [JSON.stringify(refused)],
    );
    // Apart: the order of assignments in one statement is the server's affair.
    const these = [choice(rows.map(({ seq }) => seq)), maxAttempts];
    await sql.query(`update ${chosen(outbox)} set o.state = 'parked' where o.attempts >= ?`, these);
    const parked = await sql.query<{ id: Buffer }>(
      `select ${ID} as id from ${chosen(outbox)} where o.attempts >= ?`,
      these,
    );
    return parked.map(({ id }) => text(id));
  }

  /**
   * A send must not overtake the cancellation of an earlier send under the same name: it would be the one cancelled.
   */
  private awaitsCancellation(): string {
    const { cancel } = this.names;
    return `(exists (select 1 from ${cancel} c where c.topic = ${TOPIC} and c.message_id = ${ID})
      or exists (select 1 from ${cancel} c where c.topic = ${TOPIC} and c.idempotency_key = o.idempotency_key
        and c.ordering_key <=> ${ORDERING_KEY}))`;
  }
}

/** The first rows until so many bytes are reached; never none. */
function withinBytes<R extends Sized>(rows: readonly R[], limit: number): R[] {
  let sum = 0;
  return rows.filter(({ size }) => {
    const fits = sum < limit;
    sum += Number(size);
    return fits;
  });
}
