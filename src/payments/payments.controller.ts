import { Controller, HttpCode, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import type { Order } from '../orders/order.entity.js';
import { PaymentsService } from './payments.service.js';

@Controller('orders/:id/pay')
export class PaymentsController {
  constructor(private readonly payments: PaymentsService) {}

  @Post()
  @HttpCode(200)
  pay(@Param('id', ParseUUIDPipe) orderId: string): Promise<Order> {
    return this.payments.pay(orderId);
  }
}
