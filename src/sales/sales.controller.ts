import { Body, ConflictException, Controller, Get, NotFoundException, Param, Post } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CreateSaleDto } from './create-sale.dto.js';
import { Sale } from './sale.entity.js';

const DAY_MS = 86_400_000;

@Controller('sales')
export class SalesController {
  constructor(private readonly database: DataSource) {}

  @Post()
  async create(@Body() { id, stock, startsAt = new Date(), endsAt }: CreateSaleDto): Promise<Sale> {
    const sale = { id, stock, initialStock: stock, startsAt, endsAt: endsAt ?? new Date(startsAt.getTime() + DAY_MS) };
    const { raw } = await this.database
      .createQueryBuilder()
      .insert()
      .into(Sale)
      .values(sale)
      .orIgnore()
      .returning('id')
      .execute();
    if (raw.length === 0) throw new ConflictException(`there is a sale ${id} already`);
    return sale;
  }

  @Get(':id')
  async show(@Param('id') id: string): Promise<Sale> {
    const sale = await this.database.manager.findOneBy(Sale, { id });
    if (!sale) throw new NotFoundException(`there is no sale ${id}`);
    return sale;
  }
}
