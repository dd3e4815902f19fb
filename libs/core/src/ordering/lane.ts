// The deliveries of one ordering key in one owned queue, in their order: the first may run, the others follow.
import type { Settlement } from '../consumer/delivery.js';
import type { HeldDelivery } from '../consumer/held-delivery.js';

export class Lane {
  /** What may still run here, the head first. */
  row: HeldDelivery[] = [];
  /** The broker keeps this key's messages apart; what comes straight from a queue joins them. */
  isParked = false;
  /** Deliveries on their way to the parked ones. */
  leaving = 0;
  /** The head's fate, decided while others are still on their way: it would wake the key before they are there. */
  deferred: { held: HeldDelivery; settlement: Settlement } | undefined;

  get head(): HeldDelivery | undefined {
    return this.row[0];
  }

  /** The settlement of its head is still to be sent. */
  get willWake(): boolean {
    const { head, deferred } = this;
    return head !== undefined && (head.state !== 'settling' || head === deferred?.held);
  }

  /** Nothing of the key is here any more, nor about to come. */
  get isEmpty(): boolean {
    return this.row.length === 0 && this.leaving === 0 && !this.deferred;
  }
}
