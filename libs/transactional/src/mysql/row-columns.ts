// How an outbox row is read on MariaDB and MySQL.
import type { OutboxRow } from '../outbox/outbox-row.js';
import { NOW, numberOrNull, text, textOrNull } from './bytes.js';

/** Of a table named `o`. What is left of a delay is computed here, on the database's clock, and never rounded down. */
export const ROW_COLUMNS = `cast(o.seq as char) as seq_text, o.id, o.topic, o.tag, o.ordering_key, o.meta, o.body,
  o.attempts, o.deliver_at_ms,
  ceil(greatest(0, o.delay_ms - timestampdiff(microsecond, o.created_at, ${NOW}) / 1000)) as delay_left_ms`;

export interface RowColumns {
  seq_text: string;
  id: Buffer;
  topic: Buffer;
  tag: Buffer | null;
  ordering_key: Buffer | null;
  meta: Buffer;
  body: Buffer;
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
    body: row.body,
    delayLeftMs: numberOrNull(row.delay_left_ms),
    deliverAtMs: numberOrNull(row.deliver_at_ms),
    attempts: Number(row.attempts),
  };
}
