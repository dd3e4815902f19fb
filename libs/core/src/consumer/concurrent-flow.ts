// Concurrent mode: every delivery may run at once, in any order.
import type { DeliveryFlow } from './delivery-flow.js';
import type { Settlement } from './delivery.js';
import type { Dispatcher } from './dispatcher.js';
import type { HeldDelivery } from './held-delivery.js';
import { RELEASE } from './settlement.js';

export class ConcurrentFlow implements DeliveryFlow {
  readonly waitsForStalled = false;
  private readonly late = new Set<HeldDelivery>();

  constructor(
    private readonly dispatcher: Dispatcher,
    /** Asks for a renewal now; `renewed` is called after it. */
    private readonly renewNow: () => void,
  ) {}

  accept(held: HeldDelivery): void {
    this.dispatcher.ready(held);
  }

  /** A process that slept past the lease (suspended, long pause) must not begin what may be another's by now. */
  mayStart(held: HeldDelivery, now: number): boolean {
    if (held.delivery.leaseUntil > now) return true;
    this.late.add(held);
    this.renewNow();
    return false;
  }

  /** The leases were renewed; those that were lost are gone already, the others start after all. */
  renewed(): void {
    const late = [...this.late];
    this.late.clear();
    for (const held of late) if (held.state === 'waiting') this.dispatcher.ready(held);
  }

  settle(held: HeldDelivery, settlement: Settlement): void {
    this.dispatcher.settler.settle(held, settlement);
  }

  beforeRead(): void {}

  settled(held: HeldDelivery): void {
    this.dispatcher.letGo(held);
  }

  handBack(held: HeldDelivery): void {
    this.dispatcher.settler.settle(held, RELEASE);
  }
}
