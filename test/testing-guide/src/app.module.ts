import { Module } from '@nestjs/common';
import { MqModule } from '@millrace/nestjs';
import { OrdersModule } from './orders.js';

@Module({
  imports: [MqModule.forRoot({ connection: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }), OrdersModule],
})
export class AppModule {}
