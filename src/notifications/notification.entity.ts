import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('notifications')
export class Notification {
  @PrimaryGeneratedColumn('identity', { type: 'bigint' })
  id: string;

  @Column({ name: 'order_id', type: 'uuid' })
  orderId: string;

  @Column({ type: 'text' })
  address: string;

  /** The attempt that got through. */
  @Column({ type: 'integer' })
  attempt: number;

  /** How often the message was redriven before. */
  @Column({ type: 'integer' })
  generation: number;
}
