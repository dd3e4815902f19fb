import { Module } from '@nestjs/common';
import { SalesModule } from '../sales/sales.module.js';
import { OrderRequestsController } from './order-requests.controller.js';
import { OrderingListener } from './ordering.listener.js';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [SalesModule],
  controllers: [OrderRequestsController, OrdersController],
  providers: [OrderingListener],
})
export class OrdersModule {}
