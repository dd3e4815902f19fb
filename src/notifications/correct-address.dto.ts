import { IsEmail } from 'class-validator';

export class CorrectAddressDto {
  @IsEmail()
  address: string;
}
