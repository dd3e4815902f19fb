// When an accepted delivery may run, and what follows its settlement: the difference between concurrent and ordered.
import type { SettleAnswer } from './settler.js';
import type { Settlement } from './delivery.js';
import type { HeldDelivery } from './held-delivery.js';

export interface DeliveryFlow {
  /** A handler that outlives time-out and grace: settled as failed at once, or only when it has really ended. */
  readonly waitsForStalled: boolean;
  /** A delivery that a listener wants has arrived. */
  accept(held: HeldDelivery): void;
  /** Last look before the handler: false when it is kept back; the flow makes it ready again, or lets it go. */
  mayStart(held: HeldDelivery, now: number): boolean;
  /** Its fate is decided: to be settled, as soon as nothing of the same key is to be settled before it. */
  settle(held: HeldDelivery, settlement: Settlement): void;
  /** Its settlement was answered; the flow lets it go. */
  settled(held: HeldDelivery, settlement: Settlement, answer: SettleAnswer): void;
  /** A read of the shard is about to be asked for: all that earlier ones brought has been accepted. */
  beforeRead(shard: number): void;
  /** The consumer stops: gives the delivery back to the group, uncounted. */
  handBack(held: HeldDelivery): void;
}
