// Many rows in one statement, on PostgreSQL 12 and later: columns travel as arrays, so the text is the same for any number.
import type { TableNames } from '../database/table-names.js';
import type { NewRow } from '../outbox/outbox-row.js';
import { lockOf } from './advisory-lock.js';
import { woken } from './woken.js';

/**
 * As for one row (see insertText of the outbox store), with the locks of all keys taken before the first number is
 * drawn. They are taken in the order of their numbers: two statements with the same keys cannot wait for each other.
 * Numbers are drawn behind the sort, so in the order of the list.
 */
export function insertAllText(names: TableNames, notify: boolean): string {
  const { outbox } = names;
  return `with ${notify ? `${woken(names)},` : ''}
    turns as materialized (
      select count(pg_advisory_xact_lock(key_no)) as taken from (
        select distinct ${lockOf(outbox, 'key')} as key_no from unnest($1::text[]) key order by key_no) keys)
    insert into ${outbox}
      (id, aggregatetype, type, aggregateid, idempotency_key, partition_no, meta, delay_ms, deliver_at, payload)
    select r.id, r.topic, r.tag, r.aggregate_id, r.idempotency_key, r.partition_no, r.meta, r.delay_ms,
      to_timestamp(r.deliver_at / 1000), r.body
    from turns ${notify ? 'cross join woken' : ''} cross join unnest($2::text[], $3::text[], $4::text[], $5::text[],
      $6::text[], $7::smallint[], $8::text[], $9::bigint[], $10::float8[], $11::bytea[]) with ordinality
      as r(id, topic, tag, aggregate_id, idempotency_key, partition_no, meta, delay_ms, deliver_at, body, place)
    order by r.place`;
}

export function insertAllValues(rows: readonly NewRow[]): unknown[] {
  const keys = rows.flatMap(({ topic, orderingKey }) => (orderingKey === null ? [] : [`${topic}\n${orderingKey}`]));
  const column = <K extends keyof NewRow>(name: K): NewRow[K][] => rows.map((row) => row[name]);
  return [
    keys,
    column('id'),
    column('topic'),
    column('tag'),
    column('aggregateId'),
    column('idempotencyKey'),
    column('partition'),
    column('meta'),
    column('delayMs'),
    column('deliverAtMs'),
    column('body'),
  ];
}
