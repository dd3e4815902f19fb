// The buyers at work: they click, wait for their tickets, and pay or do not.
import { setTimeout as wait } from 'node:timers/promises';
import { buyer, type Buyer } from './buyer.js';
import type { Ledger } from './ledger.js';
import type { Answer, ShopClient } from './shop-client.js';

/** A buyer gives up when nobody's ticket has been decided for this long. */
const PATIENCE_MS = 15_000;
/**
 * Buyers in the shop at the same time. Were all let in at once, who got an item would stand in line behind thousands of
 * hopeless clicks, inside this process, until the order has timed out.
 */
const TURNSTILES = 128;

interface TicketAnswer {
  ticketId?: string;
  state?: string;
  orderId?: string;
  reason?: string;
}

export interface CrowdOptions {
  /** For clicks: all of them at once would only measure our own queue. */
  door: ShopClient;
  /** For tickets and payments, so that these need not stand behind the clicks. */
  counter: ShopClient;
  ledger: Ledger;
  timeoutMs: number;
  /** Everyone leaves when it aborts. */
  signal: AbortSignal;
}

export class Crowd {
  private lastDecision = -Infinity;

  constructor(private readonly options: CrowdOptions) {}

  /**
   * These buyers come as fast as they are let in, in this order. Resolves when each has paid, was refused or gave up;
   * rejects when aborted.
   */
  async rush(numbers: readonly number[], sales: readonly string[], all?: Partial<Buyer>): Promise<void> {
    const line = numbers.values(); // shared: each turnstile takes the next one
    const turnstile = async (): Promise<void> => {
      for (const number of line) {
        this.options.signal.throwIfAborted();
        const who = { ...buyer(number), ...all };
        const tickets = await Promise.all(sales.map((saleId) => this.clickImpatiently(who, saleId)));
        await this.runErrands(who, sales, tickets);
      }
    };
    await Promise.all(Array.from({ length: TURNSTILES }, turnstile));
  }

  /** Clicks and goes away, whatever the answer. */
  async click(buyerId: string, saleId: string): Promise<string | undefined> {
    const { door, ledger } = this.options;
    ledger.requests++;
    const answer = await attempt(() => door.send<TicketAnswer>('POST', `/sales/${saleId}/orders`, { buyerId }));
    if (answer.status === 202 && answer.body.ticketId !== undefined) {
      ledger.ticket(saleId, buyerId, answer.body.ticketId);
      return answer.body.ticketId;
    }
    if (answer.status === 409 && answer.body.reason !== undefined) ledger.refusal(answer.body.reason);
    else ledger.failure(`click of ${buyerId} in ${saleId}: ${describe(answer)}`);
    return undefined;
  }

  /** Each order is paid when its ticket is decided, but one after the other: so the parcels have an order to keep. */
  private async runErrands(who: Buyer, sales: readonly string[], tickets: (string | undefined)[]): Promise<void> {
    let paying = Promise.resolve();
    const errands = tickets.map(async (ticketId, index) => {
      const orderId = ticketId && (await this.decided(ticketId));
      if (!orderId) return;
      if (who.clicks === 3) await this.click(who.id, sales[index]!);
      paying = paying.then(() => this.settleUp(who, orderId));
      await paying;
    });
    await Promise.all(errands);
  }

  /** Two clicks at once are two requests under way together: both must lead to the same ticket. */
  private async clickImpatiently(who: Buyer, saleId: string): Promise<string | undefined> {
    const clicks = Array.from({ length: Math.min(who.clicks, 2) }, () => this.click(who.id, saleId));
    return (await Promise.all(clicks)).find((ticketId) => ticketId !== undefined);
  }

  /** The order that came of the ticket; undefined when sold out, or when the buyer gave up waiting. */
  private async decided(ticketId: string): Promise<string | undefined> {
    const cameAt = performance.now();
    const waited = (): number => performance.now() - Math.max(cameAt, this.lastDecision);
    for (let pause = 100; waited() < PATIENCE_MS; pause = Math.min(pause * 1.5, 1000)) {
      const { status, body } = await this.ask('GET', `/tickets/${ticketId}`);
      if (status === 200 && body.state !== 'queued') {
        this.lastDecision = performance.now();
        return body.orderId;
      }
      await wait(pause, undefined, { signal: this.options.signal });
    }
    return undefined;
  }

  private async settleUp(who: Buyer, orderId: string): Promise<void> {
    if (who.intent === 'never-pays') return;
    if (who.intent === 'pays-at-the-last-moment') await this.untilTheLastMoment(who, orderId);
    const payments = who.paysTwice ? 2 : 1;
    await Promise.all(Array.from({ length: payments }, () => this.pay(orderId)));
  }

  private async untilTheLastMoment(who: Buyer, orderId: string): Promise<void> {
    const { body } = await this.ask<{ createdAt?: string }>('GET', `/orders/${orderId}`);
    // From 60 ms before the window closes to 60 ms after, by the buyer's number.
    const at = Date.parse(body.createdAt ?? '') + this.options.timeoutMs + ((Math.floor(who.number / 10) % 7) - 3) * 20;
    await wait(Math.max(0, at - Date.now()), undefined, { signal: this.options.signal });
  }

  private async pay(orderId: string): Promise<void> {
    const { ledger } = this.options;
    const { status, body } = await this.ask<{ reason?: string }>('POST', `/orders/${orderId}/pay`);
    if (status === 200) ledger.paid.add(orderId);
    else if (status === 409 && body.reason === 'cancelled') ledger.tooLate++;
  }

  private async ask<T = TicketAnswer>(method: 'GET' | 'POST', path: string): Promise<Answer<T>> {
    this.options.ledger.requests++;
    const answer = await attempt(() => this.options.counter.send<T>(method, path));
    if (answer.status !== 200 && answer.status !== 409)
      this.options.ledger.failure(`${method} ${path}: ${describe(answer)}`);
    return answer;
  }
}

/** No answer is an answer too, with status 0. */
async function attempt<T>(call: () => Promise<Answer<T>>): Promise<Answer<T>> {
  try {
    return await call();
  } catch (error) {
    return { status: 0, body: { error: String(error) } as T };
  }
}

function describe({ status, body }: Answer<unknown>): string {
  return `${status} ${JSON.stringify(body)}`;
}
