import { Module } from '@nestjs/common';
import { ShippingListener } from './shipping.listener.js';

@Module({ providers: [ShippingListener] })
export class ShippingModule {}
