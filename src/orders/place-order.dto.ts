import { Matches } from 'class-validator';

export class PlaceOrderDto {
  @Matches(/^[\w-]{1,64}$/)
  buyerId: string;
}
