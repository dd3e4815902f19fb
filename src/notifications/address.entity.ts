import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('addresses')
export class Address {
  @PrimaryColumn({ name: 'buyer_id', type: 'text' })
  buyerId: string;

  @Column({ type: 'text' })
  address: string;
}
