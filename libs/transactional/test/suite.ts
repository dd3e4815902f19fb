// The one suite of outbox and inbox: every adapter must pass all of it on a real database.
import type { Adapter } from './adapters/adapter.js';
import { inboxCases } from './cases/inbox.cases.js';
import { cancelCases } from './cases/outbox-cancel.cases.js';
import { orderCases } from './cases/outbox-order.cases.js';
import { sendAllCases } from './cases/outbox-send-all.cases.js';
import { outboxCases } from './cases/outbox.cases.js';
import { wakeCases } from './cases/relay-wake.cases.js';
import { relayCases } from './cases/relay.cases.js';
import { tableCases } from './cases/tables.cases.js';
import { dropSpareTables } from './world.js';

export function transactionalSuite(adapter: Adapter): void {
  describe(`outbox and inbox through ${adapter.name}`, () => {
    afterAll(() => dropSpareTables(adapter));
    tableCases(adapter);
    outboxCases(adapter);
    sendAllCases(adapter);
    orderCases(adapter);
    inboxCases(adapter);
  });
}

/** What depends on the SQL of the server, and hardly on the adapter. */
export function relaySuite(adapter: Adapter): void {
  describe(`the relay through ${adapter.name}`, () => {
    afterAll(() => dropSpareTables(adapter));
    cancelCases(adapter);
    relayCases(adapter);
    wakeCases(adapter);
  });
}
