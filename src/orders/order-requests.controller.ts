// The entrance. A click becomes a message and nothing else: however many come at once, the database sees them at the
// pace of the ordering listener.
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { MqProducer } from '@millrace/nestjs';
import { DataSource } from 'typeorm';
import { Refusal } from '../sales/refusal.js';
import { SaleBoard } from '../sales/sale-board.js';
import { Ticket } from '../tickets/ticket.entity.js';
import type { TicketView } from '../tickets/tickets.controller.js';
import { PlaceOrderDto } from './place-order.dto.js';

@Controller('sales/:saleId/orders')
export class OrderRequestsController {
  constructor(
    private readonly board: SaleBoard,
    private readonly producer: MqProducer,
    private readonly database: DataSource,
  ) {}

  @Post()
  @HttpCode(202)
  async place(@Param('saleId') saleId: string, @Body() { buyerId }: PlaceOrderDto): Promise<TicketView> {
    await this.board.admit(saleId);
    // The key makes the second click, in any process, find the first one's message: one buyer, one ticket.
    const receipt = await this.producer.send(
      'order-requests',
      { saleId, buyerId },
      { idempotencyKey: `${saleId}:${buyerId}` },
    );
    if (receipt.duplicate) await this.refuseWhenDecided(receipt.messageId);
    return { ticketId: receipt.messageId, state: 'queued' };
  }

  /** Only who clicks again costs a query, and by primary key. */
  private async refuseWhenDecided(ticketId: string): Promise<void> {
    const ticket = await this.database.manager.findOneBy(Ticket, { id: ticketId });
    if (!ticket) return;
    throw new Refusal(ticket.state === 'sold-out' ? 'sold-out' : 'already-ordered', {
      ticketId,
      orderId: ticket.orderId ?? undefined,
    });
  }
}
