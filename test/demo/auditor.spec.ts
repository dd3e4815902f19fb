import { describe, expect, it } from '@jest/globals';
import { audit, INVARIANTS } from './auditor.js';
import type { Evidence } from './evidence.js';

describe('the auditor', () => {
  it('finds nothing in a clean run', () => {
    expect(audit(cleanRun()).filter(({ held }) => !held)).toEqual([]);
  });

  it('accepts a paid order without notification while its message is a dead letter', () => {
    const run = cleanRun();
    run.notifications.missing = 1;
    group(run, 'notifications').dead = 1;
    expect(broken(run)).toEqual([]);
  });

  const cases: [string, (run: Evidence) => void, string[]][] = [
    ['no ticket at all', (run) => (run.tickets.accepted = 0), ['the sale took place']],
    ['no order at all', (run) => (run.orders.total = 0), ['the sale took place']],
    ['no payment at all', (run) => (run.payments.confirmed = 0), ['the sale took place']],
    ['a request that failed', (run) => (run.requests.failed = 1), ['every request was answered']],
    [
      'more live orders than items, if only for an instant',
      (run) => (run.sales[0]!.mostLiveAtOnce = 51),
      ['never oversold'],
    ],
    ['an order that took no item', (run) => (run.sales[0]!.taken = 59), ['never oversold']],
    ['more items than there were', (run) => (run.sales[1]!.stock = 21), ['never oversold']],
    [
      'an item that vanished',
      (run) => Object.assign(run.sales[0]!, { cancelled: 11, returned: 11 }),
      ['never undersold'],
    ],
    ['items left while buyers wait', (run) => (run.sales[1] = { ...run.sales[1]!, waiting: 1 }), ['never undersold']],
    ['an undecided ticket', (run) => run.tickets.undecided.push('t7'), ['no accepted request was lost']],
    ['two orders of one buyer', (run) => (run.doubles.orders = 1), ['one ticket and at most one order']],
    ['two tickets of one buyer', (run) => (run.doubles.tickets = 1), ['one ticket and at most one order']],
    [
      'a confirmed payment without a paid order',
      (run) => (run.payments.notPaid = 1),
      ['every payment that was confirmed'],
    ],
    ['a paid order that was cancelled', (run) => (run.cancelledWrongly.paid = 1), ['no paid order was cancelled']],
    ['an order that is still pending', (run) => (run.orders.pending = 1), ['every unpaid order was cancelled']],
    ['an order cancelled too early', (run) => (run.cancelledWrongly.early = 1), ['every unpaid order was cancelled']],
    ['stock returned twice', (run) => (run.sales[0]!.returned = 11), ['the stock of every cancelled order']],
    ['stock not returned', (run) => (run.sales[0]!.returned = 9), ['the stock of every cancelled order']],
    ['a paid order not shipped', (run) => (run.shipments.missing = 1), ['every paid order was shipped exactly once']],
    ['an order shipped twice', (run) => (run.shipments.repeated = 1), ['every paid order was shipped exactly once']],
    ['an unpaid order shipped', (run) => (run.shipments.unpaid = 1), ['every paid order was shipped exactly once']],
    ['parcels out of order', (run) => (run.shipments.outOfOrder = 2), ['parcels of each buyer']],
    [
      'an order not notified and no dead letter',
      (run) => (run.notifications.missing = 1),
      ['every paid order was notified'],
    ],
    [
      'a dead letter of a notified order',
      (run) => (group(run, 'notifications').dead = 1),
      ['every paid order was notified'],
    ],
    ['an order notified twice', (run) => (run.notifications.repeated = 1), ['every paid order was notified']],
    ['an unpaid order notified', (run) => (run.notifications.unpaid = 1), ['every paid order was notified']],
    ['a dead letter of another group', (run) => (group(run, 'ordering').dead = 1), ['no other group has dead letters']],
    ['a message still ready', (run) => (group(run, 'shipping').ready = 1), ['nothing is left']],
    ['a message still leased', (run) => (group(run, 'ordering').leased = 1), ['nothing is left']],
    ['a message still retrying', (run) => (group(run, 'notifications').retrying = 1), ['nothing is left']],
    ['a message still scheduled', (run) => (run.scheduled = 1), ['nothing is left']],
    ['a group that never lived', (run) => void run.groups.pop(), ['nothing is left']],
    ['a message in the outbox', (run) => (run.outbox = 1), ['the outbox is empty']],
  ];

  it.each(cases)('finds %s, and blames nothing else', (_, spoil, expected) => {
    const run = cleanRun();
    spoil(run);
    expect(broken(run)).toEqual(expected.map((start) => expect.stringMatching(new RegExp(`^${start}`))));
  });

  it('has seen every invariant broken', () => {
    const blamed = cases.flatMap(([, , expected]) => expected);
    for (const invariant of Object.keys(INVARIANTS)) {
      expect(blamed.filter((start) => invariant.startsWith(start))).not.toEqual([]);
    }
  });
});

function broken(run: Evidence): string[] {
  return audit(run).flatMap(({ invariant, held }) => (held ? [] : [invariant]));
}

function group(run: Evidence, name: string): Evidence['groups'][number] {
  return run.groups.find(({ group: candidate }) => candidate === name)!;
}

function cleanRun(): Evidence {
  const idle = { ready: 0, leased: 0, retrying: 0, dead: 0 };
  return {
    requests: { total: 5000, failed: 0, failures: [] },
    sales: [
      {
        saleId: 'chair',
        initial: 50,
        stock: 0,
        orders: 60,
        cancelled: 10,
        mostLiveAtOnce: 50,
        taken: 60,
        returned: 10,
        waiting: 7,
      },
      {
        saleId: 'lamp',
        initial: 50,
        stock: 20,
        orders: 30,
        cancelled: 0,
        mostLiveAtOnce: 30,
        taken: 30,
        returned: 0,
        waiting: 0,
      },
    ],
    orders: { total: 90, pending: 0, paid: 80, cancelled: 10 },
    cancelledWrongly: { paid: 0, early: 0 },
    doubles: { orders: 0, tickets: 0 },
    tickets: { accepted: 200, undecided: [] },
    payments: { confirmed: 80, notPaid: 0 },
    shipments: { total: 80, missing: 0, repeated: 0, unpaid: 0, outOfOrder: 0 },
    notifications: { total: 80, missing: 0, repeated: 0, unpaid: 0, retries: 9, redriven: 2 },
    groups: [
      { topic: 'order-requests', group: 'ordering', ...idle },
      { topic: 'order-timeout', group: 'payment-timeout', ...idle },
      { topic: 'orders', group: 'notifications', ...idle },
      { topic: 'orders', group: 'shipping', ...idle },
    ],
    scheduled: 0,
    outbox: 0,
  };
}
