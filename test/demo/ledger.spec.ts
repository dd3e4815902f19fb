import { describe, expect, it } from '@jest/globals';
import { Ledger } from './ledger.js';

describe("the buyers' ledger", () => {
  it('tells a repeated click from a new ticket', () => {
    const ledger = new Ledger();
    ledger.ticket('lamp', 'buyer-1', 't1');
    ledger.ticket('lamp', 'buyer-1', 't1');
    ledger.ticket('chair', 'buyer-1', 't2');
    expect(ledger).toMatchObject({ queued: 2, repeated: 1, secondTickets: 0 });
    expect([...ledger.tickets.keys()]).toEqual(['t1', 't2']);
  });

  it('notices a second ticket for the same buyer and sale, and keeps both promises', () => {
    const ledger = new Ledger();
    ledger.ticket('lamp', 'buyer-1', 't1');
    ledger.ticket('lamp', 'buyer-1', 't9');
    expect(ledger.secondTickets).toBe(1);
    expect([...ledger.tickets.keys()]).toEqual(['t1', 't9']);
  });
});
