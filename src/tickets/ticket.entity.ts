import { Column, Entity, PrimaryColumn } from 'typeorm';

export type TicketState = 'ordered' | 'sold-out' | 'already-ordered';

/** How an order request ended. A request that still waits has no row: clicking writes nothing to the database. */
@Entity('tickets')
export class Ticket {
  /** The id of the order request's message. */
  @PrimaryColumn({ type: 'uuid' })
  id: string;

  @Column({ name: 'sale_id', type: 'text' })
  saleId: string;

  @Column({ name: 'buyer_id', type: 'text' })
  buyerId: string;

  @Column({ type: 'text' })
  state: TicketState;

  @Column({ name: 'order_id', type: 'uuid', nullable: true })
  orderId: string | null;
}
