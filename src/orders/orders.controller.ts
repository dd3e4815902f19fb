import { Controller, Get, NotFoundException, Param, ParseUUIDPipe } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Order } from './order.entity.js';

@Controller('orders')
export class OrdersController {
  constructor(private readonly database: DataSource) {}

  @Get(':id')
  async show(@Param('id', ParseUUIDPipe) id: string): Promise<Order> {
    const order = await this.database.manager.findOneBy(Order, { id });
    if (!order) throw new NotFoundException(`there is no order ${id}`);
    return order;
  }
}
