// The statement that writes one row, on PostgreSQL 12 and later.
import type { TableNames } from '../database/table-names.js';
import { lockOf } from './advisory-lock.js';
import { woken } from './woken.js';

/**
 * A sequence gives its numbers at insert, not at commit: without more, the later number could commit first, be relayed
 * first, and so overtake. For rows with an ordering key a lock on the key, held until the end of the transaction, is
 * taken before the number is drawn (the insert's source rows come from the lock's row), so that inside a key a later
 * number also means a later commit. PostgreSQL makes a commit visible before it gives up the locks, so a relay that
 * sees a row sees all earlier ones of its key. Price: two transactions that write the same key run one after the other
 * from there on, and keys should be written in the same order everywhere, else PostgreSQL ends one of the two as a
 * deadlock.
 */
export function insertText(names: TableNames, ordered: boolean, notify: boolean): string {
  const { outbox } = names;
  const before = [
    notify && woken(names),
    ordered && `turn as materialized (select pg_advisory_xact_lock(${lockOf(outbox, '$11::text')}))`,
  ].filter((part) => part !== false);
  const source = [notify && 'woken', ordered && 'turn'].filter((part) => part !== false).join(' cross join ');
  return `${before.length > 0 ? `with ${before.join(', ')}` : ''}
    insert into ${outbox}
      (id, aggregatetype, type, aggregateid, idempotency_key, partition_no, meta, delay_ms, deliver_at, payload)
    select $1::text, $2::text, $3::text, $4::text, $5::text, $6::smallint, $7::text, $8::bigint,
      to_timestamp($9::float8 / 1000), $10::bytea ${source === '' ? '' : `from ${source}`}`;
}
