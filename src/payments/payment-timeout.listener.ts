import { Injectable } from '@nestjs/common';
import { MqCtx, type MqContext, MqListener, MqPayload } from '@millrace/nestjs';
import { getTransaction, UseInbox } from '@millrace/transactional';
import type { EntityManager } from 'typeorm';
import { Order } from '../orders/order.entity.js';
import { Sale } from '../sales/sale.entity.js';
import { OrderTimeout } from './order-timeout.js';

@Injectable()
export class PaymentTimeoutListener {
  /** A time-out that fires although the order was paid finds it no longer pending, and does nothing. */
  @MqListener({ topic: 'order-timeout', group: 'payment-timeout', lease: '5s' })
  @UseInbox()
  async cancelUnpaid(@MqPayload() { orderId }: OrderTimeout, @MqCtx() context: MqContext): Promise<void> {
    const tx = getTransaction<EntityManager>(context);
    const cancelled = await tx.update(
      Order,
      { id: orderId, status: 'pending' },
      { status: 'cancelled', cancelledAt: () => 'clock_timestamp()' },
    );
    if (cancelled.affected === 0) return;
    const { saleId } = await tx.findOneByOrFail(Order, { id: orderId });
    await tx.increment(Sale, { id: saleId }, 'stock', 1);
  }
}
