import { IsUUID } from 'class-validator';

/** The payment window of an order is over. Topic `order-timeout`, delayed by the window. */
export class OrderTimeout {
  @IsUUID()
  orderId: string;
}

declare module '@millrace/nestjs' {
  interface MqTopics {
    'order-timeout': OrderTimeout;
  }
}
