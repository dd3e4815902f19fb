// How an outbox row is read on MariaDB and MySQL.
import type { OutboxRow } from '../outbox/outbox-row.js';
import { NOW, numberOrNull, text, textOrNull } from './bytes.js';

/**
 * Texts of a table named `o` as bytes: two that differ by spaces at the end are equal to the server, and the connection
 * may have a character set that does not know them all.
 */
export const ID = 'cast(o.id as binary)';
export const TOPIC = 'cast(o.aggregatetype as binary)';
/** Without a partition the aggregate is no ordering key. */
export const ORDERING_KEY = 'if(o.partition_no is null, null, cast(o.aggregateid as binary))';

/** What is left of a delay is computed here, on the database's clock, and never rounded down. */
export const ROW_COLUMNS = `cast(o.seq as char) as seq_text, ${ID} as id, ${TOPIC} as topic, cast(o.type as binary) as tag,
  ${ORDERING_KEY} as ordering_key, o.meta, o.payload, o.attempts, o.deliver_at_ms,
  ceil(greatest(0, o.delay_ms - timestampdiff(microsecond, o.created_at, ${NOW}) / 1000)) as delay_left_ms`;

export interface RowColumns {
  seq_text: string;
  id: Buffer;
  topic: Buffer;
  tag: Buffer | null;
  ordering_key: Buffer | null;
  meta: Buffer;
  payload: Buffer;
  attempts: string | number;
  deliver_at_ms: string | number | null;
  delay_left_ms: string | number | null;
}

export function outboxRow(row: RowColumns): OutboxRow {
  return {
    seq: text(row.seq_text),
    id: text(row.id),
    topic: text(row.topic),
    tag: textOrNull(row.tag),
    orderingKey: textOrNull(row.ordering_key),
    meta: text(row.meta),
    body: row.payload,
    delayLeftMs: numberOrNull(row.delay_left_ms),
    deliverAtMs: numberOrNull(row.deliver_at_ms),
    attempts: Number(row.attempts),
  };
}
