import { Controller, Get, Param, ParseUUIDPipe } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Ticket, type TicketState } from './ticket.entity.js';

export interface TicketView {
  ticketId: string;
  state: 'queued' | TicketState;
  orderId?: string;
}

@Controller('tickets')
export class TicketsController {
  constructor(private readonly database: DataSource) {}

  /** A ticket without a row is one whose request still waits in the queue: the broker is its only home until then. */
  @Get(':id')
  async show(@Param('id', ParseUUIDPipe) ticketId: string): Promise<TicketView> {
    const ticket = await this.database.manager.findOneBy(Ticket, { id: ticketId });
    if (!ticket) return { ticketId, state: 'queued' };
    return { ticketId, state: ticket.state, orderId: ticket.orderId ?? undefined };
  }
}
