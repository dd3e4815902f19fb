import { Injectable } from '@nestjs/common';
import { MqCtx, type MqContext, MqListener, MqPayload } from '@millrace/nestjs';
import { getTransaction, UseInbox } from '@millrace/transactional';
import type { EntityManager } from 'typeorm';
import { OrderPaid } from '../payments/order-paid.js';
import { Shipment } from './shipment.entity.js';

@Injectable()
export class ShippingListener {
  /**
   * `ordered`: the ordering key is the buyer, so one buyer's orders come here one at a time, in the order of payment.
   * That is what makes "highest number + 1" safe without a lock.
   */
  @MqListener({ topic: 'orders', tags: 'paid', group: 'shipping', mode: 'ordered', lease: '5s' })
  @UseInbox()
  async ship(@MqPayload() { orderId, buyerId }: OrderPaid, @MqCtx() context: MqContext): Promise<void> {
    const tx = getTransaction<EntityManager>(context);
    const last = await tx.maximum(Shipment, 'seq', { buyerId });
    await tx.insert(Shipment, { orderId, buyerId, seq: (last ?? 0) + 1 });
  }
}
