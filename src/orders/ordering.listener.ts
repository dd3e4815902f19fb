// Where stock is taken. Everything here happens in the inbox's transaction: the order, its ticket, its time-out and
// the note that this request was handled exist together or not at all.
import { Injectable } from '@nestjs/common';
import { MqCtx, type MqContext, MqListener, MqPayload } from '@millrace/nestjs';
import { getTransaction, Outbox, UseInbox } from '@millrace/transactional';
import { type EntityManager, MoreThan } from 'typeorm';
import { Sale } from '../sales/sale.entity.js';
import { Settings } from '../settings.js';
import { Ticket } from '../tickets/ticket.entity.js';
import { Order } from './order.entity.js';
import { OrderRequest } from './order-request.js';

@Injectable()
export class OrderingListener {
  constructor(
    private readonly outbox: Outbox,
    private readonly settings: Settings,
  ) {}

  /**
   * `concurrency` is the pace of the database under a rush: so many transactions at once per process, no more. The
   * short lease brings back the requests of a process that died within seconds instead of half a minute.
   */
  @MqListener({ topic: 'order-requests', group: 'ordering', concurrency: 8, lease: '5s' })
  @UseInbox()
  async order(@MqPayload() { saleId, buyerId }: OrderRequest, @MqCtx() context: MqContext): Promise<void> {
    const tx = getTransaction<EntityManager>(context);
    const ticket = { id: context.messageId, saleId, buyerId };

    const earlier = await tx.findOneBy(Order, { saleId, buyerId });
    if (earlier) {
      await tx.insert(Ticket, { ...ticket, state: 'already-ordered', orderId: earlier.id });
      return;
    }
    // The condition and the decrement are one statement: two takers of the last item wait for each other here.
    const taken = await tx.decrement(Sale, { id: saleId, stock: MoreThan(0) }, 'stock', 1);
    if (taken.affected === 0) {
      await tx.insert(Ticket, { ...ticket, state: 'sold-out' });
      return;
    }
    const orderId = context.messageId;
    await tx.insert(Order, { id: orderId, saleId, buyerId });
    await tx.insert(Ticket, { ...ticket, state: 'ordered', orderId });
    await this.outbox.send(
      'order-timeout',
      { orderId },
      { delay: this.settings.paymentWindowMs, idempotencyKey: `timeout:${orderId}` },
    );
  }
}
