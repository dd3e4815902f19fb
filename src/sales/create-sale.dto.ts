import { Type } from 'class-transformer';
import { IsDate, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

export class CreateSaleDto {
  @Matches(/^[\w-]{1,64}$/)
  id: string;

  @IsInt()
  @Min(0)
  @Max(1_000_000)
  stock: number;

  /** Default: now. */
  @IsOptional()
  @Type(() => Date)
  @IsDate()
  startsAt?: Date;

  /** Default: a day after the start. */
  @IsOptional()
  @Type(() => Date)
  @IsDate()
  endsAt?: Date;
}
