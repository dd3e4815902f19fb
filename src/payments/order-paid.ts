import { IsUUID, Matches } from 'class-validator';

/** An order was paid. Topic `orders`, tag `paid`, ordering key: the buyer. */
export class OrderPaid {
  @IsUUID()
  orderId: string;

  @Matches(/^[\w-]{1,64}$/)
  saleId: string;

  @Matches(/^[\w-]{1,64}$/)
  buyerId: string;
}
