import { Matches } from 'class-validator';

/** One buyer wants one item of one sale. Topic `order-requests`. */
export class OrderRequest {
  @Matches(/^[\w-]{1,64}$/)
  saleId: string;

  @Matches(/^[\w-]{1,64}$/)
  buyerId: string;
}

declare module '@millrace/nestjs' {
  interface MqTopics {
    'order-requests': OrderRequest;
  }
}
