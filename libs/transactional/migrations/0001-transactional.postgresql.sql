do $millrace$
begin
-- Even "create index if not exists" waits for all writers of an existing table, and makes others wait behind it.
if to_regclass('mq_schema') is not null then
  if exists (select 1 from mq_schema where component = 'transactional' and version >= 2) then
    return;
  end if;
  if exists (select 1 from mq_schema where component = 'transactional') then
    raise exception 'tables of an older version: that version was never released and no migration leads on from it: when the outbox is empty, drop the tables (outboxMigrationDown()) and run migration 0001 transactional again';
  end if;
end if;

create table if not exists mq_schema (
  component text primary key,
  version integer not null,
  applied_at timestamptz not null default clock_timestamp()
);

create table if not exists mq_outbox (
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
create index if not exists mq_outbox_pending on mq_outbox (partition_no, seq) where state = 'pending';
create index if not exists mq_outbox_blocked on mq_outbox (partition_no)
  where partition_no is not null and state <> 'sent' and attempts > 0;
create index if not exists mq_outbox_parked on mq_outbox (seq) where state = 'parked';
create index if not exists mq_outbox_sent on mq_outbox (sent_at) where state = 'sent';
create index if not exists mq_outbox_id on mq_outbox (id);
create index if not exists mq_outbox_key on mq_outbox (aggregatetype, idempotency_key) where idempotency_key is not null;

create table if not exists mq_outbox_cancel (
  seq bigint generated always as identity primary key,
  topic text not null,
  message_id text,                                     -- this, or the idempotency key
  idempotency_key text,
  ordering_key text,
  before_seq bigint,                                   -- rows of the outbox below it are meant, seen or not
  attempts integer not null default 0,
  available_at timestamptz not null default clock_timestamp()
);
create index if not exists mq_outbox_cancel_id on mq_outbox_cancel (topic, message_id);
create index if not exists mq_outbox_cancel_key on mq_outbox_cancel (topic, idempotency_key);

create table if not exists mq_inbox (
  consumer_group text not null,
  topic text not null,
  message_key text not null,
  message_id text not null,
  handled_at timestamptz not null default clock_timestamp(),
  primary key (consumer_group, topic, message_key)
);
create index if not exists mq_inbox_handled on mq_inbox (handled_at);

insert into mq_schema (component, version) values ('transactional', 2)
  on conflict (component) do nothing;
end
$millrace$;
