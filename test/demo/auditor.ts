// Judges a run. Each invariant is one sentence about the evidence, and says what is wrong when it does not hold.
import type { Evidence, SaleEvidence } from './evidence.js';

export interface Verdict {
  invariant: string;
  held: boolean;
  /** What was found; only when broken. */
  finding?: string;
}

/** Every group that the shop has: a group that never came to life must not pass for one without a backlog. */
const GROUPS = ['order-requests/ordering', 'order-timeout/payment-timeout', 'orders/notifications', 'orders/shipping'];

/** Undefined when it holds, else the finding. */
type Invariant = (evidence: Evidence) => string | undefined;

export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  'the sale took place': ({ orders, tickets, payments }) =>
    faults({
      'no ticket was given': !tickets.accepted,
      'no order was made': !orders.total,
      'nothing was paid': !payments.confirmed,
    }),

  'every request was answered': ({ requests: { total, failed, failures } }) =>
    faults({ [`${failed} of ${total} failed, such as ${failures[0]}`]: failed }),

  'never oversold: at no time more live orders than items, and every order took its item': (evidence) =>
    perSale(evidence, (sale) =>
      faults({
        [`${sale.mostLiveAtOnce} live orders at once for ${sale.initial} items`]: sale.mostLiveAtOnce > sale.initial,
        [`${live(sale)} live orders + ${sale.stock} in stock > ${sale.initial} items`]:
          live(sale) + sale.stock > sale.initial,
        [`${sale.orders} orders took ${sale.taken} items`]: sale.orders !== sale.taken,
      }),
    ),

  'never undersold: no item vanished, and none was left while buyers were waiting': (evidence) =>
    perSale(evidence, (sale) =>
      faults({
        [`${live(sale)} live orders + ${sale.stock} in stock < ${sale.initial} items`]:
          live(sale) + sale.stock < sale.initial,
        [`${sale.stock} items left, ${sale.waiting} buyers waiting`]: sale.stock > 0 && sale.waiting > 0,
      }),
    ),

  'no accepted request was lost: every ticket was decided': ({ tickets: { accepted, undecided } }) =>
    faults({ [`${undecided.length} of ${accepted} tickets undecided, such as ${undecided[0]}`]: undecided.length }),

  'one ticket and at most one order per buyer and sale': ({ doubles }) =>
    faults({
      [`${doubles.orders} with two orders`]: doubles.orders,
      [`${doubles.tickets} with two tickets`]: doubles.tickets,
    }),

  'every payment that was confirmed is a paid order': ({ payments }) =>
    faults({ [`${payments.notPaid} of ${payments.confirmed} confirmed payments are no paid order`]: payments.notPaid }),

  'no paid order was cancelled': ({ cancelledWrongly: { paid } }) =>
    faults({ [`${paid} paid orders cancelled`]: paid }),

  'every unpaid order was cancelled, none before its time': ({ orders: { pending }, cancelledWrongly: { early } }) =>
    faults({ [`${pending} still pending`]: pending, [`${early} cancelled too early`]: early }),

  'the stock of every cancelled order came back exactly once': (evidence) =>
    perSale(evidence, ({ cancelled, returned }) =>
      faults({ [`${returned} items came back from ${cancelled} cancelled orders`]: cancelled !== returned }),
    ),

  'every paid order was shipped exactly once': ({ shipments: { missing, repeated, unpaid } }) =>
    faults({
      [`${missing} not shipped`]: missing,
      [`${repeated} shipped twice`]: repeated,
      [`${unpaid} shipped unpaid`]: unpaid,
    }),

  'parcels of each buyer left in the order of payment': ({ shipments: { outOfOrder } }) =>
    faults({ [`${outOfOrder} out of order`]: outOfOrder }),

  'every paid order was notified exactly once, or its message is among the dead letters': ({
    notifications,
    groups,
  }) => {
    const dead = groups.find(({ topic, group }) => topic === 'orders' && group === 'notifications')?.dead ?? 0;
    return faults({
      [`${notifications.missing} not notified, ${dead} dead letters`]: notifications.missing !== dead,
      [`${notifications.repeated} notified twice`]: notifications.repeated,
      [`${notifications.unpaid} notified unpaid`]: notifications.unpaid,
    });
  },

  'no other group has dead letters': ({ groups }) =>
    faults(
      Object.fromEntries(
        groups
          .filter(({ group }) => group !== 'notifications')
          .map(({ group, dead }) => [`${group} has ${dead}`, dead]),
      ),
    ),

  'nothing is left scheduled, ready, leased or retrying in any group': ({ groups, scheduled }) =>
    faults({
      ...Object.fromEntries(
        GROUPS.map((name) => [`no group ${name}`, !groups.some(({ topic, group }) => `${topic}/${group}` === name)]),
      ),
      ...Object.fromEntries(
        groups.map(({ topic, group, ready, leased, retrying }) => [
          `${topic}/${group}: ${ready} ready, ${leased} leased, ${retrying} retrying`,
          ready + leased + retrying,
        ]),
      ),
      [`${scheduled} scheduled`]: scheduled,
    }),

  'the outbox is empty': ({ outbox }) => faults({ [`${outbox} messages in it`]: outbox }),
};

export function audit(evidence: Evidence): Verdict[] {
  return Object.entries(INVARIANTS).map(([invariant, check]) => {
    const finding = check(evidence);
    return { invariant, held: finding === undefined, finding };
  });
}

function live(sale: SaleEvidence): number {
  return sale.orders - sale.cancelled;
}

/** The descriptions whose value is neither false nor 0, as one text. */
function faults(found: Record<string, boolean | number>): string | undefined {
  const present = Object.keys(found).filter((description) => found[description]);
  return present.length === 0 ? undefined : present.join('; ');
}

function perSale({ sales }: Evidence, check: (sale: SaleEvidence) => string | undefined): string | undefined {
  const findings = sales.flatMap((sale) => {
    const finding = check(sale);
    return finding === undefined ? [] : [`${sale.saleId}: ${finding}`];
  });
  return findings.length === 0 ? undefined : findings.join('; ');
}
