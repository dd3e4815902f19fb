import { Module } from '@nestjs/common';
import { SaleBoard } from './sale-board.js';
import { SalesController } from './sales.controller.js';

@Module({ controllers: [SalesController], providers: [SaleBoard], exports: [SaleBoard] })
export class SalesModule {}
