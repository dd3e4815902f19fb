import { Column, Entity, PrimaryColumn } from 'typeorm';

/** pending → paid, or pending → cancelled; both ends are final. */
export type OrderStatus = 'pending' | 'paid' | 'cancelled';

@Entity('orders')
export class Order {
  @PrimaryColumn({ type: 'uuid' })
  id: string;

  @Column({ name: 'sale_id', type: 'text' })
  saleId: string;

  @Column({ name: 'buyer_id', type: 'text' })
  buyerId: string;

  @Column({ type: 'text', default: 'pending' })
  status: OrderStatus;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  createdAt: Date;

  @Column({ name: 'paid_at', type: 'timestamptz', nullable: true })
  paidAt: Date | null;

  @Column({ name: 'cancelled_at', type: 'timestamptz', nullable: true })
  cancelledAt: Date | null;
}
