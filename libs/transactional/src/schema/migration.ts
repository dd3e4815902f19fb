// The tables, as SQL that may be run any number of times. Columns are described in docs by their comments here.
import type { Dialect } from '../database/outbox-database.js';
import { tableNames } from '../database/table-names.js';
import { mysqlMigration, mysqlMigrationDown } from './mysql-migration.js';
import { NO_WAY_UP, SCHEMA_VERSION } from './schema-version.js';

/**
 * SQL that creates the tables of outbox and inbox: give it to your migration tool. Running it again does nothing and
 * locks nothing. For PostgreSQL 12 and later it is one statement; for MariaDB 10.6, MySQL 8.0 and later several, each
 * ending with a semicolon and an empty line. @param prefix of the table names, `mq_` by default. Throws
 * InvalidOptionError for a bad one.
 */
export function outboxMigration(prefix?: string, dialect: Dialect = 'postgresql'): string {
  if (dialect === 'mysql') return script(mysqlMigration(prefix));
  const { outbox, cancel, inbox, schema } = tableNames(prefix);
  return `
do $millrace$
begin
-- Even "create index if not exists" waits for all writers of an existing table, and makes others wait behind it.
if to_regclass('${schema}') is not null then
  if exists (select 1 from ${schema} where component = 'transactional' and version >= ${SCHEMA_VERSION}) then
    return;
  end if;
  if exists (select 1 from ${schema} where component = 'transactional') then
    raise exception 'tables of an older version: ${NO_WAY_UP}';
  end if;
end if;

create table if not exists ${schema} (
  component text primary key,
  version integer not null,
  applied_at timestamptz not null default clock_timestamp()
);

create table if not exists ${outbox} (
  seq bigint generated always as identity primary key, -- commit order inside an ordering key
  -- Names that the outbox event router of Debezium expects (docs/decisions/0010):
  id text not null,                                    -- message id
  aggregatetype text not null,                         -- topic
  aggregateid text not null,                           -- ordering key; without one the first key, else the message id
  type text,                                           -- tag
  payload bytea not null,                              -- body: JSON as UTF-8, or the bytes as given; not compressed
  -- Ours:
  idempotency_key text,
  partition_no smallint,                               -- of the ordering key; null: aggregateid is none
  meta text not null,                                  -- envelope, see docs/wire-format.md
  delay_ms bigint,                                     -- counts from created_at
  deliver_at timestamptz,
  state text not null default 'pending' check (state in ('pending', 'parked', 'sent')),
  attempts integer not null default 0,                 -- refusals by the broker; outages do not count
  last_error text,
  created_at timestamptz not null default clock_timestamp(),
  available_at timestamptz not null default clock_timestamp(),
  sent_at timestamptz
) with (
  -- Rows come and go: without frequent vacuum the relay would read over their remains.
  autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000
);
create index if not exists ${outbox}_pending on ${outbox} (partition_no, seq) where state = 'pending';
create index if not exists ${outbox}_blocked on ${outbox} (partition_no)
  where partition_no is not null and state <> 'sent' and attempts > 0;
create index if not exists ${outbox}_parked on ${outbox} (seq) where state = 'parked';
create index if not exists ${outbox}_sent on ${outbox} (sent_at) where state = 'sent';
create index if not exists ${outbox}_id on ${outbox} (id);
create index if not exists ${outbox}_key on ${outbox} (aggregatetype, idempotency_key) where idempotency_key is not null;

create table if not exists ${cancel} (
  seq bigint generated always as identity primary key,
  topic text not null,
  message_id text,                                     -- this, or the idempotency key
  idempotency_key text,
  ordering_key text,
  before_seq bigint,                                   -- rows of the outbox below it are meant, seen or not
  attempts integer not null default 0,
  available_at timestamptz not null default clock_timestamp()
);
create index if not exists ${cancel}_id on ${cancel} (topic, message_id);
create index if not exists ${cancel}_key on ${cancel} (topic, idempotency_key);

create table if not exists ${inbox} (
  consumer_group text not null,
  topic text not null,
  message_key text not null,
  message_id text not null,
  handled_at timestamptz not null default clock_timestamp(),
  primary key (consumer_group, topic, message_key)
);
create index if not exists ${inbox}_handled on ${inbox} (handled_at);

insert into ${schema} (component, version) values ('transactional', ${SCHEMA_VERSION})
  on conflict (component) do nothing;
end
$millrace$;
`;
}

/** SQL that drops the tables with everything in them. `mq_schema` stays: other parts may have their row there. */
export function outboxMigrationDown(prefix?: string, dialect: Dialect = 'postgresql'): string {
  if (dialect === 'mysql') return script(mysqlMigrationDown(prefix));
  const { outbox, cancel, inbox, schema } = tableNames(prefix);
  return `
drop table if exists ${outbox}, ${cancel}, ${inbox};
delete from ${schema} where component = 'transactional';
`;
}

function script(statements: readonly string[]): string {
  return statements.map((statement) => `\n${statement};\n`).join('');
}
