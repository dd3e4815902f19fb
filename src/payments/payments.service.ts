import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { Outbox } from '@millrace/transactional';
import type { EntityManager } from 'typeorm';
import { Order } from '../orders/order.entity.js';
import type { OrderPaid } from './order-paid.js';

@Injectable()
export class PaymentsService {
  constructor(private readonly outbox: Outbox) {}

  /**
   * The order becomes paid, its time-out is called off and the paid message leaves: all of it, or nothing.
   * Paying again gives the same answer and sends nothing.
   */
  pay(orderId: string): Promise<Order> {
    return this.outbox.withTransaction(async (tx: EntityManager) => {
      // Payment and time-out race for the row of a pending order. One of them changes it; the other sees it changed.
      const changed = await tx.update(
        Order,
        { id: orderId, status: 'pending' },
        { status: 'paid', paidAt: () => 'clock_timestamp()' },
      );
      const order = await tx.findOneBy(Order, { id: orderId });
      if (!order) throw new NotFoundException(`there is no order ${orderId}`);
      if (order.status === 'cancelled')
        throw new ConflictException({
          statusCode: 409,
          reason: 'cancelled',
          message: 'the order was not paid in time',
        });
      if (changed.affected === 1) {
        await this.outbox.cancel('order-timeout', { idempotencyKey: `timeout:${orderId}` });
        const { saleId, buyerId } = order;
        const paid: OrderPaid = { orderId, saleId, buyerId };
        await this.outbox.send('orders:paid', paid, { orderingKey: buyerId });
      }
      return order;
    });
  }
}
