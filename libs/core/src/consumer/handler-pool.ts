// The handlers of one listener: what waits for a place, what runs, and how a run ends.
import type { Clock } from '../clock.js';
import { HandlerTimeoutError } from '../errors.js';
import type { MqEvents } from '../events.js';
import { decodeMessage } from '../message/envelope.js';
import { named } from './announce.js';
import { Chain } from './chain.js';
import { DeliveryContext } from './delivery-context.js';
import type { HeldDelivery } from './held-delivery.js';
import type { Listener } from './listener.js';
import type { Expired, HandlerResult } from './settlement.js';
import type { SoloGate } from './solo-gate.js';
import { TimeoutWatch } from './timeout-watch.js';

export interface HandlerPoolParts {
  readonly clock: Clock;
  readonly events: MqEvents;
  readonly gate: SoloGate;
  readonly listener: Listener;
  /** A handler that outlives time-out and grace: its result is given at once, or only when it has really ended. */
  readonly waitsForStalled: boolean;
  /** A run ended, or it did not come to one: to be settled. */
  readonly ended: (held: HeldDelivery, result: HandlerResult | Expired) => void;
  /** Why it may not run any more, if so. */
  readonly expiry: (held: HeldDelivery, ttlMs: number | undefined) => Expired | undefined;
  /** A handler ended whose lease was lost: nothing is to be written. */
  readonly endedLost: (held: HeldDelivery) => void;
  /** A handler hangs beyond time-out and grace. */
  readonly hangs: (held: HeldDelivery) => void;
  /** A place became free. */
  readonly placeFreed: () => void;
}

/**
 * Never more handlers at once than the listener's concurrency; those that stalled are not counted any more. Each run
 * ends once: with its result, as stalled, or because it was left.
 */
export class HandlerPool {
  /** Deliveries also leave from its middle, when their lease is lost. */
  readonly waiting = new Chain<HeldDelivery>();
  private readonly watch: TimeoutWatch<HeldDelivery>;
  private running = 0;

  constructor(private readonly parts: HandlerPoolParts) {
    const { timeoutMs } = parts.listener.spec;
    this.watch = new TimeoutWatch(parts.clock, timeoutMs, {
      timedOut: (held) => held.context!.abort(new HandlerTimeoutError(timeoutMs)),
      stalled: (held) => this.stalled(held),
    });
  }

  get listener(): Listener {
    return this.parts.listener;
  }

  get hasRoom(): boolean {
    return this.running < this.parts.listener.spec.concurrency;
  }

  /** Handlers that run; stalled ones are not counted. */
  get runs(): number {
    return this.running;
  }

  /** How many of those that wait have a place. */
  get startable(): number {
    return Math.min(this.waiting.size, this.parts.listener.spec.concurrency - this.running);
  }

  /** Everything up to the handler's first line; false when it does not come to that. */
  enter(held: HeldDelivery, now: number): boolean {
    const { clock, ended, expiry, gate } = this.parts;
    const { delivery } = held;
    held.startedAt = now;
    try {
      held.context = new DeliveryContext(decodeMessage(delivery.topic, delivery.message), delivery);
    } catch (error) {
      ended(held, { type: 'threw', error, at: clock.now(), durationMs: 0 });
      return false;
    }
    const expired = expiry(held, held.context.message.ttlMs);
    if (expired) {
      ended(held, expired);
      return false;
    }
    held.state = 'running';
    this.running++;
    held.watched = this.watch.add(held, now);
    held.isInGate = true;
    gate.enter();
    return true;
  }

  /** After `enter`. Never rejects: what the handler throws is its result. */
  async run(held: HeldDelivery): Promise<void> {
    const { clock, listener } = this.parts;
    let value: unknown;
    try {
      value = await listener.handler(held.context!);
    } catch (error) {
      this.handled(held, { type: 'threw', error, at: clock.now(), durationMs: this.durationOf(held) });
      return;
    }
    this.handled(held, { type: 'returned', value, at: clock.now(), durationMs: this.durationOf(held) });
  }

  /** Gives the place of a running handler away, whether it has ended or not. */
  leave(held: HeldDelivery): void {
    this.running--;
    this.watch.remove(held.watched!);
    held.watched = undefined;
    this.parts.placeFreed();
  }

  /** It is settled, or will not be for long: what must not run beside others need not wait for it any more. */
  leaveGate(held: HeldDelivery): void {
    if (!held.isInGate) return;
    held.isInGate = false;
    this.parts.gate.leave();
  }

  /** No more time-outs. */
  close(): void {
    this.watch.close();
  }

  private handled(held: HeldDelivery, result: HandlerResult): void {
    if (held.state === 'running') {
      this.leave(held);
      this.end(held, result);
    } else if (held.state === 'stalled') {
      // Ordered: its key was blocked until now. What it did after its time was up does not count.
      this.end(held, held.result!);
    }
  }

  private stalled(held: HeldDelivery): void {
    const { clock, events, hangs, listener, waitsForStalled } = this.parts;
    const { timeoutMs } = listener.spec;
    events.emit('stalled', { ...named(held), timeoutMs });
    this.leave(held);
    this.leaveGate(held);
    const error = new HandlerTimeoutError(timeoutMs);
    held.result = { type: 'threw', error, at: clock.now(), durationMs: this.durationOf(held) };
    if (waitsForStalled) {
      held.state = 'stalled';
      hangs(held);
    } else {
      this.end(held, held.result);
    }
  }

  private end(held: HeldDelivery, result: HandlerResult): void {
    const { ended, endedLost } = this.parts;
    if (held.lost) endedLost(held);
    else ended(held, result);
  }

  private durationOf(held: HeldDelivery): number {
    return this.parts.clock.monotonic() - held.startedAt;
  }
}
