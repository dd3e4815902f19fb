import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('sales')
export class Sale {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ name: 'initial_stock', type: 'integer' })
  initialStock: number;

  /** What can still be sold. Items of unpaid orders are not in it. */
  @Column({ type: 'integer' })
  stock: number;

  @Column({ name: 'starts_at', type: 'timestamptz' })
  startsAt: Date;

  @Column({ name: 'ends_at', type: 'timestamptz' })
  endsAt: Date;
}
