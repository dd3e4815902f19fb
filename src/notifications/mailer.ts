// Stands in for a mail provider on a bad day, so that the shop has failures to retry and to bury:
// of the mailboxes at mail.example, those whose number ends in 7 answer at the third attempt only, and every 25th,
// starting with 13, bounces for ever. Any other address works.
import { Injectable } from '@nestjs/common';

export class MailboxBusyError extends Error {
  override readonly name = 'MailboxBusyError';
}

export class AddressBouncedError extends Error {
  override readonly name = 'AddressBouncedError';
}

@Injectable()
export class Mailer {
  /** @param attempt a real provider would be given the message id, so that it drops what it has sent before */
  async send(address: string, _text: string, attempt: number): Promise<void> {
    const number = Number(/^buyer-(\d+)@mail\.example$/.exec(address)?.[1] ?? NaN);
    if (number % 25 === 13) throw new AddressBouncedError(`${address} does not exist`);
    if (number % 10 === 7 && attempt <= 2) throw new MailboxBusyError(`${address} is busy`);
  }
}
