// What the auditor judges by: facts from SQL and Redis, and the answers the buyers were given. No counter of the
// application is among them.
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { Ledger } from './ledger.js';
import { readRedisState, type GroupState } from './redis-state.js';

export interface SaleEvidence {
  saleId: string;
  initial: number;
  stock: number;
  orders: number;
  cancelled: number;
  /** Pending and paid orders at the worst instant. */
  mostLiveAtOnce: number;
  /** From the journal that the database keeps: how often one item left the stock, and came back. */
  taken: number;
  returned: number;
  /** Buyers who were never given a ticket and would have bought. */
  waiting: number;
}

export interface Evidence {
  /** Requests that had no answer or one that nobody should get; `failures` are the first of them. */
  requests: { total: number; failed: number; failures: string[] };
  sales: SaleEvidence[];
  orders: { total: number; pending: number; paid: number; cancelled: number };
  /** Cancelled although paid, or before the payment window was over. */
  cancelledWrongly: { paid: number; early: number };
  /** (buyer, sale) pairs with more than one order, and buyers with two tickets for one sale. */
  doubles: { orders: number; tickets: number };
  tickets: { accepted: number; undecided: string[] };
  payments: { confirmed: number; notPaid: number };
  shipments: { total: number; missing: number; repeated: number; unpaid: number; outOfOrder: number };
  notifications: {
    total: number;
    missing: number;
    repeated: number;
    unpaid: number;
    retries: number;
    redriven: number;
  };
  groups: GroupState[];
  scheduled: number;
  outbox: number;
}

export interface Sources {
  sql: Pool;
  redis: Redis;
  namespace: string;
  ledger: Ledger;
  timeoutMs: number;
  /** Buyers without a ticket who would still buy, by sale. */
  waiting: ReadonlyMap<string, number>;
}

export async function gatherEvidence({
  sql,
  redis,
  namespace,
  ledger,
  timeoutMs,
  waiting,
}: Sources): Promise<Evidence> {
  const rows = async <R>(text: string, values: unknown[] = []): Promise<R[]> =>
    (await sql.query(text, values)).rows as R[];
  const row = async <R>(text: string, values: unknown[] = []): Promise<R> => (await rows<R>(text, values))[0]!;

  const sales = await rows<Omit<SaleEvidence, 'waiting'>>(SALES);
  const state = await readRedisState(redis, namespace);
  const accepted = [...ledger.tickets.keys()];
  const undecided = await rows<{ id: string }>(UNDECIDED, [accepted]);
  return {
    requests: { total: ledger.requests, failed: ledger.failed, failures: ledger.failures },
    sales: sales.map((sale) => ({ ...sale, waiting: waiting.get(sale.saleId) ?? 0 })),
    orders: await row(ORDERS),
    cancelledWrongly: await row(CANCELLED_WRONGLY, [timeoutMs]),
    doubles: { ...(await row<{ orders: number }>(DOUBLE_ORDERS)), tickets: ledger.secondTickets },
    tickets: { accepted: accepted.length, undecided: undecided.map(({ id }) => id) },
    payments: {
      confirmed: ledger.paid.size,
      ...(await row<{ notPaid: number }>(CONFIRMED_NOT_PAID, [[...ledger.paid]])),
    },
    shipments: await row(SHIPMENTS),
    notifications: await row(NOTIFICATIONS),
    groups: state.groups,
    scheduled: state.scheduled,
    outbox: (await row<{ outbox: number }>(`select ${UNSENT} as outbox`)).outbox,
  };
}

/** Rows that have left stay a while, marked `sent`. */
export const UNSENT = `((select count(*) from mq_outbox where state <> 'sent') + (select count(*) from mq_outbox_cancel))::int`;

const SALES = `
select s.id as "saleId", s.initial_stock as initial, s.stock,
  (select count(*)::int from orders o where o.sale_id = s.id) as orders,
  (select count(*)::int from orders o where o.sale_id = s.id and o.status = 'cancelled') as cancelled,
  coalesce((select max(live)::int from (
    select sum(step) over (order by at, step rows unbounded preceding) as live from (
      select created_at as at, 1 as step from orders where sale_id = s.id
      union all
      select cancelled_at, -1 from orders where sale_id = s.id and cancelled_at is not null) steps) lives), 0) as "mostLiveAtOnce",
  (select coalesce(sum(-delta), 0)::int from demo_stock_journal j where j.sale_id = s.id and delta < 0) as taken,
  (select coalesce(sum(delta), 0)::int from demo_stock_journal j where j.sale_id = s.id and delta > 0) as returned
from sales s order by s.id`;

const ORDERS = `
select count(*)::int as total,
  count(*) filter (where status = 'pending')::int as pending,
  count(*) filter (where status = 'paid')::int as paid,
  count(*) filter (where status = 'cancelled')::int as cancelled
from orders`;

const CANCELLED_WRONGLY = `
select count(*) filter (where paid_at is not null)::int as paid,
  count(*) filter (where cancelled_at < created_at + $1 * interval '1 millisecond')::int as early
from orders where status = 'cancelled'`;

const DOUBLE_ORDERS = `
select count(*)::int as orders from (select 1 from orders group by sale_id, buyer_id having count(*) > 1) doubles`;

const UNDECIDED = `
select id from unnest($1::uuid[]) as promised(id) where not exists (select 1 from tickets t where t.id = promised.id)`;

const CONFIRMED_NOT_PAID = `
select count(*)::int as "notPaid" from unnest($1::uuid[]) as confirmed(id)
where not exists (select 1 from orders o where o.id = confirmed.id and o.status = 'paid')`;

const SHIPMENTS = `
select (select count(*)::int from shipments) as total,
  (select count(*)::int from orders o where status = 'paid'
    and not exists (select 1 from shipments s where s.order_id = o.id)) as missing,
  (select count(*)::int from (select 1 from shipments group by order_id having count(*) > 1) twice) as repeated,
  (select count(*)::int from shipments s join orders o on o.id = s.order_id where o.status <> 'paid') as unpaid,
  (select count(*)::int from (
    select s.seq, row_number() over (partition by s.buyer_id order by o.paid_at) as place
    from shipments s join orders o on o.id = s.order_id) parcels where seq <> place) as "outOfOrder"`;

const NOTIFICATIONS = `
select (select count(*)::int from notifications) as total,
  (select count(*)::int from orders o where status = 'paid'
    and not exists (select 1 from notifications n where n.order_id = o.id)) as missing,
  (select count(*)::int from (select 1 from notifications group by order_id having count(*) > 1) twice) as repeated,
  (select count(*)::int from notifications n join orders o on o.id = n.order_id where o.status <> 'paid') as unpaid,
  (select coalesce(sum(attempt - 1), 0)::int from notifications) as retries,
  (select count(*)::int from notifications where generation > 0) as redriven`;
