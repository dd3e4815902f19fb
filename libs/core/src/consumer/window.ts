// How much a consumer holds: enough to keep its handlers busy, and no more.
import type { HeldDelivery } from './held-delivery.js';

/** Deliveries behind others of their ordering key: they cannot run, so only memory bounds them. */
const MAX_PARKED = 10_000;
const MAX_PARKED_BYTES = 64 * 1024 * 1024;

/**
 * Counts the deliveries that may run or do run (at most `capacity` are fetched) and, apart from them, those that
 * queue behind another one of their ordering key: a key that blocks must not keep other keys from being fetched.
 * A read that waits is not counted, so with several shards the window can be exceeded by what such reads bring.
 */
export class Window {
  readonly capacity: number;
  /** Fetching begins when this much is free: many tiny reads cost more than a few larger ones. */
  readonly threshold: number;
  private held = 0;
  private parked = 0;
  private parkedBytes = 0;
  private readonly waiting = new Set<() => void>();

  constructor(concurrency: number, prefetch: number) {
    this.capacity = concurrency + prefetch;
    // Above the prefetch a threshold would leave handlers idle while the rest of the window is busy for long.
    this.threshold = Math.max(1, Math.min(Math.floor(this.capacity / 4), prefetch));
  }

  get free(): number {
    if (this.parked >= MAX_PARKED || this.parkedBytes >= MAX_PARKED_BYTES) return 0;
    return Math.max(0, this.capacity - this.held);
  }

  /** Room for expired leases: a reserve of its own, so that fetching under load cannot starve the recovery. */
  get freeForReclaim(): number {
    return Math.max(0, this.capacity + Math.max(1, Math.floor(this.capacity / 4)) - this.held);
  }

  get isBelowThreshold(): boolean {
    return this.free < this.threshold;
  }

  /** It may run now. */
  admit(held: HeldDelivery): void {
    this.move(held, 'window');
  }

  /** It waits for others of its key, or for its own next attempt. */
  park(held: HeldDelivery): void {
    this.move(held, 'parked');
  }

  /** It is no longer in our hands. */
  leave(held: HeldDelivery): void {
    this.move(held, 'outside');
  }

  /** Calls `wake` once, as soon as there is room worth a read. */
  whenRoom(wake: () => void): void {
    this.waiting.add(wake);
  }

  private move(held: HeldDelivery, to: HeldDelivery['place']): void {
    if (held.place === to) return;
    this.count(held, -1);
    held.place = to;
    this.count(held, 1);
    if (this.waiting.size === 0 || this.isBelowThreshold) return;
    const woken = [...this.waiting];
    this.waiting.clear();
    for (const wake of woken) wake();
  }

  private count(held: HeldDelivery, by: 1 | -1): void {
    if (held.place === 'window') this.held += by;
    if (held.place !== 'parked') return;
    this.parked += by;
    this.parkedBytes += by * held.delivery.message.body.length;
  }
}
