// How an outbox row is read. Numbers come as int4, float8 or text: int8 and timestamps may have parsers of the user's.
import type { OutboxRow } from '../outbox/outbox-row.js';

/** Of a row: without a partition the aggregate is no ordering key. */
export const ORDERING_KEY = 'case when partition_no is not null then aggregateid end';

/** Of a table named `o`. What is left of a delay is computed here, on the database's clock, and never rounded down. */
export const ROW_COLUMNS = `o.seq::text as seq_text, o.id, o.aggregatetype, o.type, o.partition_no, o.aggregateid,
  o.meta, o.payload, o.attempts,
  case when o.delay_ms is not null then
    ceil(greatest(0, o.delay_ms - extract(epoch from clock_timestamp() - o.created_at) * 1000))
    end::float8 as delay_left_ms,
  round(extract(epoch from o.deliver_at) * 1000)::float8 as deliver_at_ms`;

export interface RowColumns {
  seq_text: string;
  id: string;
  aggregatetype: string;
  type: string | null;
  partition_no: number | null;
  aggregateid: string;
  meta: string;
  payload: Buffer;
  attempts: number;
  delay_left_ms: number | null;
  deliver_at_ms: number | null;
}

export function outboxRow(row: RowColumns): OutboxRow {
  return {
    seq: row.seq_text,
    id: row.id,
    topic: row.aggregatetype,
    tag: row.type,
    orderingKey: row.partition_no === null ? null : row.aggregateid,
    meta: row.meta,
    body: row.payload,
    delayLeftMs: row.delay_left_ms,
    deliverAtMs: row.deliver_at_ms,
    attempts: row.attempts,
  };
}
