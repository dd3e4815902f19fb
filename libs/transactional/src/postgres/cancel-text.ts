// The statement that cancels, on PostgreSQL 12 and later.
import type { TableNames } from '../database/table-names.js';
import { ORDERING_KEY } from './row-columns.js';
import { woken } from './woken.js';

/**
 * The cancellation is noted even for a row that was still there: a relay may have sent it and died before it could mark
 * it. By key, both are noted: the id of each removed row, and the key, under which an earlier row may have left.
 *
 * Under REPEATABLE READ this statement does not see what was committed since the transaction began. So the number that
 * the next row would get is noted too: all rows of the name below it were written before, and the relay, which sees
 * them, removes them. (Without the right to the sequence there is none, and only rows that are seen are cancelled.)
 */
export function cancelText(names: TableNames, by: 'id' | 'key', notify: boolean): string {
  const { outbox, cancel } = names;
  const which =
    by === 'id' ? 'id = $2::text' : `idempotency_key = $2::text and ${ORDERING_KEY} is not distinct from $3::text`;
  const notes =
    by === 'id'
      ? 'select $1::text, $2::text, null::text, null::text'
      : `select $1::text, id, null::text, null::text from removed
         union all select $1::text, null::text, $2::text, $3::text`;
  return `with ${notify ? `${woken(names)}, ` : ''}removed as (
      delete from ${outbox} where aggregatetype = $1::text and state in ('pending', 'parked') and ${which} returning id),
    next as materialized (
      select case when has_sequence_privilege(s.name, 'usage') then nextval(s.name::regclass) end as seq
      from pg_get_serial_sequence('${outbox}', 'seq') as s(name)),
    noted as (insert into ${cancel} (topic, message_id, idempotency_key, ordering_key, before_seq)
      select note.*, next.seq from (${notes}) note cross join next)
    select (select count(*) from removed)::int as removed${notify ? ' from woken' : ''}`;
}
