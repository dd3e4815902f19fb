import { Injectable, Module } from '@nestjs/common';
import { MqListener, MqPayload, MqProducer } from '@millrace/nestjs';

@Injectable()
export class Orders {
  private readonly status = new Map<string, 'unpaid' | 'paid' | 'cancelled'>();

  constructor(private readonly producer: MqProducer) {}

  async place(id: string): Promise<void> {
    this.status.set(id, 'unpaid');
    await this.producer.send('order-timeout', { id }, { delay: '30m', idempotencyKey: id });
  }

  async pay(id: string): Promise<void> {
    this.status.set(id, 'paid');
    await this.producer.cancel('order-timeout', { idempotencyKey: id });
  }

  statusOf(id: string): string | undefined {
    return this.status.get(id);
  }

  @MqListener({ topic: 'order-timeout', group: 'orders' })
  cancelUnpaid(@MqPayload() { id }: { id: string }): void {
    if (this.status.get(id) === 'unpaid') this.status.set(id, 'cancelled');
  }
}

@Module({ providers: [Orders] })
export class OrdersModule {}
