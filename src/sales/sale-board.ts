// What the doorman knows: which sales are open and have stock. It is read from SQL at most five times a second,
// however many click, so a flash of clicks costs the database nothing. It may be a moment old, and that is harmless:
// it only spares hopeless clicks the queue. Stock is taken by the ordering listener, in the database.
import { Injectable, NotFoundException } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Refusal } from './refusal.js';
import { Sale } from './sale.entity.js';

const MAX_AGE_MS = 200;

@Injectable()
export class SaleBoard {
  private sales = new Map<string, Sale>();
  private readAt = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(private readonly database: DataSource) {}

  /** Resolves when the sale takes orders. Throws a `Refusal`, or NotFoundException for an unknown sale. */
  async admit(saleId: string): Promise<void> {
    // A sale that is not on the board may be a new one.
    if (performance.now() - this.readAt > MAX_AGE_MS || !this.sales.has(saleId)) await this.read();
    const sale = this.sales.get(saleId);
    if (!sale) throw new NotFoundException(`there is no sale ${saleId}`);
    const now = Date.now();
    if (now < sale.startsAt.getTime()) throw new Refusal('not-started', { startsAt: sale.startsAt });
    if (now >= sale.endsAt.getTime()) throw new Refusal('closed');
    if (sale.stock === 0) throw new Refusal('sold-out');
  }

  /** One query, shared by all who wait for it. */
  private read(): Promise<void> {
    return (this.reading ??= this.database.manager
      .find(Sale)
      .then((sales) => {
        this.sales = new Map(sales.map((sale) => [sale.id, sale]));
        this.readAt = performance.now();
      })
      .finally(() => (this.reading = undefined)));
  }
}
