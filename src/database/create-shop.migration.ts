// The shop's tables. Instants come from clock_timestamp(), not now(): now() is when a transaction began, and says
// nothing about who got the last item first.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateShop1763683200001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table sales (
  id            text primary key,
  initial_stock integer not null,
  stock         integer not null check (stock >= 0),
  starts_at     timestamptz not null,
  ends_at       timestamptz not null
);
create table orders (
  id           uuid primary key,
  sale_id      text not null references sales,
  buyer_id     text not null,
  status       text not null default 'pending' check (status in ('pending', 'paid', 'cancelled')),
  created_at   timestamptz not null default clock_timestamp(),
  paid_at      timestamptz,
  cancelled_at timestamptz,
  unique (sale_id, buyer_id)
);
create table tickets (
  id         uuid primary key,
  sale_id    text not null,
  buyer_id   text not null,
  state      text not null check (state in ('ordered', 'sold-out', 'already-ordered')),
  order_id   uuid references orders,
  decided_at timestamptz not null default clock_timestamp()
);
-- Neither shipments nor notifications forbid a second row per order: the inbox is what prevents it, and a constraint
-- here would hide a failure of the inbox from whoever audits the shop.
create table shipments (
  id         bigint generated always as identity primary key,
  order_id   uuid not null references orders,
  buyer_id   text not null,
  seq        integer not null,
  shipped_at timestamptz not null default clock_timestamp(),
  unique (buyer_id, seq)
);
create table notifications (
  id         bigint generated always as identity primary key,
  order_id   uuid not null references orders,
  address    text not null,
  attempt    integer not null,
  generation integer not null,
  sent_at    timestamptz not null default clock_timestamp()
);
create table addresses (
  buyer_id text primary key,
  address  text not null
);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table addresses, notifications, shipments, tickets, orders, sales');
  }
}
