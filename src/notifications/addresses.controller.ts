import { Body, Controller, Param, Put } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Address } from './address.entity.js';
import { CorrectAddressDto } from './correct-address.dto.js';

@Controller('buyers/:id/address')
export class AddressesController {
  constructor(private readonly database: DataSource) {}

  @Put()
  async correct(@Param('id') buyerId: string, @Body() { address }: CorrectAddressDto): Promise<Address> {
    await this.database.manager.upsert(Address, { buyerId, address }, ['buyerId']);
    return { buyerId, address };
  }
}
