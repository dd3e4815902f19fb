import { type DynamicModule, Global, Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MqModule } from '@millrace/nestjs';
import { TransactionalModule } from '@millrace/transactional';
import { MillraceTransactional1763683200000, typeOrmDatabase } from '@millrace/transactional/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { CreateShop1763683200001 } from './database/create-shop.migration.js';
import { openDatabase } from './database/open-database.js';
import { Address } from './notifications/address.entity.js';
import { Notification } from './notifications/notification.entity.js';
import { NotificationsModule } from './notifications/notifications.module.js';
import { Order } from './orders/order.entity.js';
import { OrdersModule } from './orders/orders.module.js';
import { PaymentsModule } from './payments/payments.module.js';
import { Sale } from './sales/sale.entity.js';
import { SalesModule } from './sales/sales.module.js';
import { Settings } from './settings.js';
import { Shipment } from './shipping/shipment.entity.js';
import { ShippingModule } from './shipping/shipping.module.js';
import { Ticket } from './tickets/ticket.entity.js';
import { TicketsModule } from './tickets/tickets.module.js';

@Global()
@Module({})
export class AppModule {
  static with(settings: Settings): DynamicModule {
    return {
      module: AppModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({
            type: 'postgres' as const,
            url: settings.databaseUrl,
            entities: [Address, Notification, Order, Sale, Shipment, Ticket],
            migrations: [MillraceTransactional1763683200000, CreateShop1763683200001],
          }),
          dataSourceFactory: (options) => openDatabase(options as DataSourceOptions),
        }),
        MqModule.forRoot({
          connection: settings.redisUrl,
          namespace: settings.namespace,
          consumers: settings.role !== 'web',
        }),
        TransactionalModule.forRootAsync({
          inject: [DataSource],
          useFactory: (database: DataSource) => ({ database: typeOrmDatabase(database) }),
        }),
        SalesModule,
        OrdersModule,
        TicketsModule,
        PaymentsModule,
        ShippingModule,
        NotificationsModule,
      ],
      providers: [
        { provide: Settings, useValue: settings },
        // Bodies of requests and of messages pass the same pipe; a message that fails it is a dead letter at once.
        { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true, transform: true }) },
      ],
      exports: [Settings],
    };
  }
}
