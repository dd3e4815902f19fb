// SQL of the inbox, on PostgreSQL 12 and later.
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import { lockOf } from './advisory-lock.js';
import type { InboxAnswer, InboxRecord, InboxStore } from '../inbox/inbox-store.js';

export class PostgresInboxStore implements InboxStore {
  constructor(private readonly names: TableNames) {}

  async record(sql: SqlExecutor, { group, topic, key, messageId }: InboxRecord): Promise<InboxAnswer> {
    const { inbox } = this.names;
    // The lock is the gate, the primary key the proof: whoever passes the gate inserts without waiting, and a record
    // that was committed a moment ago is seen by the insert even if it is too new for the statement's own view.
    const [row] = await sql.query<{ answer: InboxAnswer }>(
      `with gate as materialized (select pg_try_advisory_xact_lock(${lockOf(inbox, '$5::text')}) as free),
       recorded as (
         insert into ${inbox} (consumer_group, topic, message_key, message_id)
         select $1::text, $2::text, $3::text, $4::text from gate where free
         on conflict (consumer_group, topic, message_key) do nothing returning 1)
       select case when not free then 'busy' when exists (select 1 from recorded) then 'new' else 'duplicate' end
         as answer
       from gate`,
      [group, topic, key, messageId.replaceAll('\0', '\\0'), `${group}\n${topic}\n${key}`],
    );
    return row!.answer;
  }
}
