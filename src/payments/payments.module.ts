import { Module } from '@nestjs/common';
import { PaymentTimeoutListener } from './payment-timeout.listener.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';

@Module({ controllers: [PaymentsController], providers: [PaymentsService, PaymentTimeoutListener] })
export class PaymentsModule {}
