// Ordered mode: what runs when is up to the lanes of the queue that a delivery came from.
import { announceState } from '../consumer/announce.js';
import type { Settlement } from '../consumer/delivery.js';
import type { DeliveryFlow } from '../consumer/delivery-flow.js';
import type { Dispatcher } from '../consumer/dispatcher.js';
import type { HeldDelivery } from '../consumer/held-delivery.js';
import type { SettleAnswer } from '../consumer/settler.js';
import type { MqEvents } from '../events.js';
import type { QueueOwner } from './queue-owner.js';

export class OrderedFlow implements DeliveryFlow {
  readonly waitsForStalled = true;

  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly owner: Pick<QueueOwner, 'lanesOf' | 'beforeRead'>,
    private readonly events: MqEvents,
  ) {}

  accept(held: HeldDelivery): void {
    const lanes = this.owner.lanesOf(held.delivery);
    // Read under a lease that is gone: the next owner reads it first.
    if (!lanes) return this.dispatcher.letGo(held);
    lanes.accept(held);
  }

  mayStart(held: HeldDelivery, now: number): boolean {
    return held.lanes!.mayStart(held, now);
  }

  /** A message that no listener wants was never in a lane. */
  settle(held: HeldDelivery, settlement: Settlement): void {
    if (held.lanes) held.lanes.settle(held, settlement);
    else this.dispatcher.settler.settle(held, settlement);
  }

  beforeRead(shard: number): void {
    this.owner.beforeRead(shard);
  }

  settled(held: HeldDelivery, settlement: Settlement, answer: SettleAnswer): void {
    held.lanes!.settled(held, settlement, answer);
  }

  /** Nothing to tell the broker: it goes to the next owner together with the queue. */
  handBack(held: HeldDelivery): void {
    announceState(this.events, 'released', held);
    this.dispatcher.letGo(held);
  }
}
