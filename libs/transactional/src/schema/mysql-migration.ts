// The tables for MariaDB 10.6 and MySQL 8.0 and later, as statements that may be run any number of times.
import { tableNames } from '../database/table-names.js';
import { PARTITION_LOCK, TURN_LOCK, TURNS } from '../mysql/lock-rows.js';
import { PARTITIONS } from '../outbox/outbox-row.js';
import { SCHEMA_VERSION } from './schema-version.js';

const STORAGE = 'engine = InnoDB row_format = dynamic default character set = utf8mb4 collate = utf8mb4_bin';
const NOW = '(utc_timestamp(6))';

/** Throws InvalidOptionError for a bad prefix. */
export function mysqlMigration(prefix?: string): string[] {
  const { outbox, cancel, inbox, schema, lock } = tableNames(prefix);
  return [
    `create table if not exists ${schema} (
  component varbinary(64) not null primary key,
  version integer not null,
  applied_at datetime(6) not null default ${NOW}
) ${STORAGE}`,
    `-- Names and keys are compared as bytes of UTF-8: collations call 'a' and 'a ' the same. All times are UTC.
create table if not exists ${outbox} (
  seq bigint not null auto_increment primary key, -- commit order inside an ordering key
  -- Names that the outbox event router of Debezium expects, as texts (docs/decisions/0010):
  id varchar(255) not null,                       -- message id
  aggregatetype varchar(127) not null,            -- topic
  aggregateid varchar(255) not null,              -- ordering key; without one the first key, else the message id
  type varchar(255),                              -- tag
  payload longblob not null,                      -- body: JSON as UTF-8, or the bytes as given; not compressed
  -- Ours:
  idempotency_key varbinary(255),
  partition_no smallint,                          -- of the ordering key; null: aggregateid is none
  meta longblob not null,                         -- envelope, see docs/wire-format.md
  size integer not null,                          -- of envelope and body
  delay_ms bigint,                                -- counts from created_at
  deliver_at_ms bigint,                           -- since 1970
  state enum('pending', 'parked', 'sent') not null default 'pending',
  attempts integer not null default 0,            -- refusals by the broker; outages do not count
  last_error blob,
  created_at datetime(6) not null default ${NOW},
  available_at datetime(6) not null default ${NOW},
  sent_at datetime(6),
  key ${outbox}_pending (state, partition_no, seq),
  key ${outbox}_blocked (partition_no, attempts),
  key ${outbox}_sent (sent_at),
  key ${outbox}_id (id),
  key ${outbox}_key (aggregatetype, idempotency_key)
) ${STORAGE}`,
    `create table if not exists ${cancel} (
  seq bigint not null auto_increment primary key,
  topic varbinary(127) not null,
  message_id varbinary(255),                      -- this, or the idempotency key
  idempotency_key varbinary(255),
  ordering_key varbinary(255),
  before_seq bigint,                              -- rows of the outbox below it are meant, seen or not
  attempts integer not null default 0,
  available_at datetime(6) not null default ${NOW},
  key ${cancel}_id (topic, message_id),
  key ${cancel}_key (topic, idempotency_key)
) ${STORAGE}`,
    `create table if not exists ${inbox} (
  consumer_group varbinary(255) not null,
  topic varbinary(127) not null,
  message_key varbinary(640) not null,
  message_id varbinary(1024) not null,
  handled_at datetime(6) not null default ${NOW},
  primary key (consumer_group, topic, message_key),
  key ${inbox}_handled (handled_at)
) ${STORAGE}`,
    `-- Rows that are only locked, never changed.
create table if not exists ${lock} (
  kind enum('${PARTITION_LOCK}', '${TURN_LOCK}') not null,
  no smallint not null,
  primary key (kind, no)
) ${STORAGE}`,
    `insert ignore into ${lock} (kind, no) values ${numbers(PARTITIONS)
      .map((no) => `('${PARTITION_LOCK}', ${no})`)
      .join(', ')}`,
    `insert ignore into ${lock} (kind, no)
  select '${TURN_LOCK}', a.n + 64 * b.n from (${series()}) a cross join (${series()}) b`,
    `insert ignore into ${schema} (component, version) values ('transactional', ${SCHEMA_VERSION})`,
  ];
}

/** Drops the tables with everything in them; the schema table stays: other parts may have their row there. */
export function mysqlMigrationDown(prefix?: string): string[] {
  const { outbox, cancel, inbox, schema, lock } = tableNames(prefix);
  return [
    `drop table if exists ${outbox}, ${cancel}, ${inbox}, ${lock}`,
    `delete from ${schema} where component = 'transactional'`,
  ];
}

/** The turns are a square of this series. */
function series(): string {
  return numbers(Math.sqrt(TURNS))
    .map((n) => `select ${n}${n === 0 ? ' as n' : ''}`)
    .join(' union all ');
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
