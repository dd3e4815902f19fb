create table if not exists mq_schema (
  component varbinary(64) not null primary key,
  version integer not null,
  applied_at datetime(6) not null default (utc_timestamp(6))
) engine = InnoDB row_format = dynamic default character set = utf8mb4 collate = utf8mb4_bin;

-- Names and keys are compared as bytes of UTF-8: collations call 'a' and 'a ' the same. All times are UTC.
create table if not exists mq_outbox (
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
  created_at datetime(6) not null default (utc_timestamp(6)),
  available_at datetime(6) not null default (utc_timestamp(6)),
  sent_at datetime(6),
  key mq_outbox_pending (state, partition_no, seq),
  key mq_outbox_blocked (partition_no, attempts),
  key mq_outbox_sent (sent_at),
  key mq_outbox_id (id),
  key mq_outbox_key (aggregatetype, idempotency_key)
) engine = InnoDB row_format = dynamic default character set = utf8mb4 collate = utf8mb4_bin;

create table if not exists mq_outbox_cancel (
  seq bigint not null auto_increment primary key,
  topic varbinary(127) not null,
  message_id varbinary(255),                      -- this, or the idempotency key
  idempotency_key varbinary(255),
  ordering_key varbinary(255),
  before_seq bigint,                              -- rows of the outbox below it are meant, seen or not
  attempts integer not null default 0,
  available_at datetime(6) not null default (utc_timestamp(6)),
  key mq_outbox_cancel_id (topic, message_id),
  key mq_outbox_cancel_key (topic, idempotency_key)
) engine = InnoDB row_format = dynamic default character set = utf8mb4 collate = utf8mb4_bin;

create table if not exists mq_inbox (
  consumer_group varbinary(255) not null,
  topic varbinary(127) not null,
  message_key varbinary(640) not null,
  message_id varbinary(1024) not null,
  handled_at datetime(6) not null default (utc_timestamp(6)),
  primary key (consumer_group, topic, message_key),
  key mq_inbox_handled (handled_at)
) engine = InnoDB row_format = dynamic default character set = utf8mb4 collate = utf8mb4_bin;

-- Rows that are only locked, never changed.
create table if not exists mq_outbox_lock (
  kind enum('partition', 'turn') not null,
  no smallint not null,
  primary key (kind, no)
) engine = InnoDB row_format = dynamic default character set = utf8mb4 collate = utf8mb4_bin;

insert ignore into mq_outbox_lock (kind, no) values ('partition', 0), ('partition', 1), ('partition', 2), ('partition', 3), ('partition', 4), ('partition', 5), ('partition', 6), ('partition', 7), ('partition', 8), ('partition', 9), ('partition', 10), ('partition', 11), ('partition', 12), ('partition', 13), ('partition', 14), ('partition', 15), ('partition', 16), ('partition', 17), ('partition', 18), ('partition', 19), ('partition', 20), ('partition', 21), ('partition', 22), ('partition', 23), ('partition', 24), ('partition', 25), ('partition', 26), ('partition', 27), ('partition', 28), ('partition', 29), ('partition', 30), ('partition', 31);

insert ignore into mq_outbox_lock (kind, no)
  select 'turn', a.n + 64 * b.n from (select 0 as n union all select 1 union all select 2 union all select 3 union all select 4 union all select 5 union all select 6 union all select 7 union all select 8 union all select 9 union all select 10 union all select 11 union all select 12 union all select 13 union all select 14 union all select 15 union all select 16 union all select 17 union all select 18 union all select 19 union all select 20 union all select 21 union all select 22 union all select 23 union all select 24 union all select 25 union all select 26 union all select 27 union all select 28 union all select 29 union all select 30 union all select 31 union all select 32 union all select 33 union all select 34 union all select 35 union all select 36 union all select 37 union all select 38 union all select 39 union all select 40 union all select 41 union all select 42 union all select 43 union all select 44 union all select 45 union all select 46 union all select 47 union all select 48 union all select 49 union all select 50 union all select 51 union all select 52 union all select 53 union all select 54 union all select 55 union all select 56 union all select 57 union all select 58 union all select 59 union all select 60 union all select 61 union all select 62 union all select 63) a cross join (select 0 as n union all select 1 union all select 2 union all select 3 union all select 4 union all select 5 union all select 6 union all select 7 union all select 8 union all select 9 union all select 10 union all select 11 union all select 12 union all select 13 union all select 14 union all select 15 union all select 16 union all select 17 union all select 18 union all select 19 union all select 20 union all select 21 union all select 22 union all select 23 union all select 24 union all select 25 union all select 26 union all select 27 union all select 28 union all select 29 union all select 30 union all select 31 union all select 32 union all select 33 union all select 34 union all select 35 union all select 36 union all select 37 union all select 38 union all select 39 union all select 40 union all select 41 union all select 42 union all select 43 union all select 44 union all select 45 union all select 46 union all select 47 union all select 48 union all select 49 union all select 50 union all select 51 union all select 52 union all select 53 union all select 54 union all select 55 union all select 56 union all select 57 union all select 58 union all select 59 union all select 60 union all select 61 union all select 62 union all select 63) b;

insert ignore into mq_schema (component, version) values ('transactional', 2);
