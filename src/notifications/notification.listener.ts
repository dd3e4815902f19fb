import { Injectable } from '@nestjs/common';
import { MqCtx, type MqContext, MqListener, MqPayload } from '@millrace/nestjs';
import { getTransaction, UseInbox } from '@millrace/transactional';
import type { EntityManager } from 'typeorm';
import { OrderPaid } from '../payments/order-paid.js';
import { Address } from './address.entity.js';
import { Mailer } from './mailer.js';
import { Notification } from './notification.entity.js';

@Injectable()
export class NotificationListener {
  constructor(private readonly mailer: Mailer) {}

  /** A bad address is tried four times within two seconds, then waits among the dead letters until it is corrected. */
  @MqListener({
    topic: 'orders',
    tags: 'paid',
    group: 'notifications',
    maxAttempts: 4,
    backoff: { type: 'fixed', delay: '500ms' },
    lease: '5s',
  })
  @UseInbox()
  async notify(@MqPayload() { orderId, buyerId }: OrderPaid, @MqCtx() context: MqContext): Promise<void> {
    const tx = getTransaction<EntityManager>(context);
    const known = await tx.findOneBy(Address, { buyerId });
    const address = known?.address ?? `${buyerId}@mail.example`;
    await this.mailer.send(address, `Your order ${orderId} is paid and on its way.`, context.attempt);
    await tx.insert(Notification, { orderId, address, attempt: context.attempt, generation: context.generation });
  }
}
