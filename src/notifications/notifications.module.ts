import { Module } from '@nestjs/common';
import { AddressesController } from './addresses.controller.js';
import { Mailer } from './mailer.js';
import { NotificationListener } from './notification.listener.js';

@Module({ controllers: [AddressesController], providers: [Mailer, NotificationListener] })
export class NotificationsModule {}
