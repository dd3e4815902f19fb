// Broadcast mode: every delivery may run at once, in any order; one that failed rests in this process until its next
// attempt, and keeps no other one waiting.
import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.js';
import type { Settlement } from '../consumer/delivery.js';
import type { DeliveryFlow } from '../consumer/delivery-flow.js';
import type { Dispatcher } from '../consumer/dispatcher.js';
import type { HeldDelivery } from '../consumer/held-delivery.js';
import type { Window } from '../consumer/window.js';

export class BroadcastFlow implements DeliveryFlow {
  readonly waitsForStalled = false;
  private readonly closing = new AbortController();

  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly window: Window,
    private readonly clock: Clock,
  ) {
    // One wait for each delivery that rests, all on this signal: many are no leak.
    setMaxListeners(0, this.closing.signal);
  }

  accept(held: HeldDelivery): void {
    this.dispatcher.ready(held);
  }

  /** There is no lease that could have run out. */
  mayStart(): boolean {
    return true;
  }

  settle(held: HeldDelivery, settlement: Settlement): void {
    this.dispatcher.settler.settle(held, settlement);
  }

  /** Nothing to do: a read brings only what is behind the last one. */
  beforeRead(): void {}

  settled(held: HeldDelivery, settlement: Settlement): void {
    if (settlement.type === 'retry' || settlement.type === 'release') return this.runAgain(held, settlement);
    this.dispatcher.letGo(held);
  }

  /** There is no group to give it back to. A named instance reads it again when it starts next. */
  handBack(held: HeldDelivery): void {
    this.dispatcher.letGo(held);
  }

  /** Ends the rests of those that wait for their next attempt. */
  close(): void {
    this.closing.abort();
  }

  private runAgain(held: HeldDelivery, settlement: Extract<Settlement, { type: 'retry' | 'release' }>): void {
    const { dispatcher, window } = this;
    if (dispatcher.isStopped) return dispatcher.letGo(held);
    const state = settlement.type === 'retry' ? settlement.state : held.delivery.state;
    held.delivery = { ...held.delivery, state };
    held.result = undefined;
    held.context = undefined;
    if (settlement.delayMs <= 0) return dispatcher.ready(held);
    // Waiting for its time, not yet for room: the pool hears of it when the rest is over.
    held.state = 'waiting';
    // Not counted among those that may run; but what rests is bounded too, and then nothing more is read.
    window.park(held);
    void this.endRest(held, this.clock.monotonic() + settlement.delayMs);
  }

  /** Never early: a clock may end a wait a little before its time, and cuts very long ones. */
  private async endRest(held: HeldDelivery, at: number): Promise<void> {
    const { clock, dispatcher } = this;
    const { signal } = this.closing;
    for (let leftMs = at - clock.monotonic(); leftMs > 0 && !signal.aborted; leftMs = at - clock.monotonic()) {
      await clock.wait(leftMs, signal);
    }
    if (held.state === 'waiting' && !signal.aborted) dispatcher.ready(held);
  }
}
