import { ConflictException } from '@nestjs/common';

/** Why a click is turned away before anything is queued. Clients branch on `reason`, never on the text. */
export type RefusalReason = 'not-started' | 'closed' | 'sold-out' | 'already-ordered';

const TEXT: Record<RefusalReason, string> = {
  'not-started': 'the sale has not started yet',
  closed: 'the sale is over',
  'sold-out': 'everything is sold; items of unpaid orders may come back',
  'already-ordered': 'you have already ordered in this sale',
};

export class Refusal extends ConflictException {
  constructor(reason: RefusalReason, details: Record<string, unknown> = {}) {
    super({ statusCode: 409, reason, message: TEXT[reason], ...details });
  }
}
