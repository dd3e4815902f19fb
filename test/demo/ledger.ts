// What the buyers were told, written down by the buyers. The auditor holds the shop to these answers.

export class Ledger {
  requests = 0;
  /** Clicks answered 202 with a ticket that the buyer had not been given before. */
  queued = 0;
  /** Clicks answered 202 with the ticket of an earlier click. */
  repeated = 0;
  readonly refused = new Map<string, number>();
  /** No answer, or one that nobody should get. */
  failed = 0;
  readonly failures: string[] = [];
  /** Ticket → who was promised a decision about what. */
  readonly tickets = new Map<string, { saleId: string; buyerId: string }>();
  /** Second tickets for the same buyer and sale: there should be none. */
  secondTickets = 0;
  /** Orders whose payment was confirmed. */
  readonly paid = new Set<string>();
  /** Payments refused because the order had timed out. */
  tooLate = 0;
  private readonly ticketOf = new Map<string, string>();

  ticket(saleId: string, buyerId: string, ticketId: string): void {
    const place = `${saleId}:${buyerId}`;
    const known = this.ticketOf.get(place);
    if (known === ticketId) {
      this.repeated++;
      return;
    }
    if (known !== undefined) this.secondTickets++;
    this.queued++;
    this.ticketOf.set(place, ticketId);
    this.tickets.set(ticketId, { saleId, buyerId });
  }

  refusal(reason: string): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }

  failure(what: string): void {
    this.failed++;
    if (this.failures.length < 10) this.failures.push(what);
  }

  hasTicket(saleId: string, buyerId: string): boolean {
    return this.ticketOf.has(`${saleId}:${buyerId}`);
  }
}
