// Time that stands still until a test moves it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, LatestEnd } from '@millrace/core';
import type { ClockedStore } from './clocked-store.js';

interface Waiter {
  readonly at: number;
  /** Until when its end may be put off. */
  readonly latest?: LatestEnd;
  /** In which `advance` it began. */
  readonly round: number;
  readonly resolve: () => void;
}

/** 2026-01-01T00:00:00Z: a fixed beginning, so that printed times are the same in every run. */
const DEFAULT_START = Date.UTC(2026, 0, 1);

/**
 * A clock for tests: `wait` resolves only when `advance` reaches its end, in the order of the ends and, at the same
 * instant, in the order of asking. After each instant everything that became runnable runs before time goes on,
 * so a loop that waits again is woken at each of its steps, as it would be in real time.
 *
 * Hours go by at once where nothing happens: with a store on this clock, looks of background loops that can find nothing
 * are left out, once each loop has looked in this `advance`. What is due, and every wait that is not such a look, still ends
 * at its own instant.
 */
export class ManualClock implements Clock {
  private readonly waiters: Waiter[] = [];
  private elapsed = 0;
  private isMoving = false;
  private round = 0;
  private readonly stores = new Set<ClockedStore>();

  /** @param start Unix ms that `now()` begins with. @default 2026-01-01T00:00:00Z */
  constructor(private readonly start: number = DEFAULT_START) {}

  now(): number {
    return this.start + this.elapsed;
  }

  monotonic(): number {
    return this.elapsed;
  }

  /** How many waits have not ended. */
  get waiting(): number {
    return this.waiters.length;
  }

  /** Moves this store too from now on. The returned function ends that. */
  attach(store: ClockedStore): () => void {
    this.stores.add(store);
    return () => void this.stores.delete(store);
  }

  async wait(ms: number, signal?: AbortSignal, latest?: LatestEnd): Promise<void> {
    if (signal?.aborted) return;
    // Not a microtask: a loop that waits for nothing must not keep everything else from running.
    if (ms <= 0) return nextTurn();
    await new Promise<void>((resolve) => {
      const end = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      // Whole ms, as of every timer: what is due in a fraction of one must not be looked for before it is.
      const waiter = { at: Math.ceil(this.elapsed + ms), resolve: end, latest, round: this.round };
      const abort = (): void => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
        end();
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.waiters.splice(this.placeOf(waiter), 0, waiter);
    });
  }

  /** Moves time on by `ms`, ending each wait at its own instant. `advance(0)` only lets runnable code run. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`a clock can only be advanced by 0 ms or more, not by ${ms}`);
    if (this.isMoving) throw new Error('advance() is still under way: await it before the next call');
    this.isMoving = true;
    this.round++;
    try {
      const target = this.elapsed + ms;
      await this.settle();
      while (this.elapsed < target || this.isDue) await this.moveTo(await this.nextStop(target));
    } finally {
      this.isMoving = false;
    }
  }

  /** Lets everything run that can run at this instant, calls to stores included. */
  async settle(): Promise<void> {
    await nextTurn();
    for (const store of this.stores) await store.settle();
  }

  /** Moves to the end of the earliest wait; returns by how many ms, or undefined when nothing waits. */
  async advanceToNext(): Promise<number | undefined> {
    await nextTurn();
    const next = this.waiters[0];
    if (!next) return undefined;
    const ms = Math.max(0, next.at - this.elapsed);
    await this.advance(ms);
    return ms;
  }

  private get isDue(): boolean {
    const next = this.waiters[0];
    return next !== undefined && next.at <= this.elapsed;
  }

  private async moveTo(stop: number): Promise<void> {
    if (stop > this.elapsed) {
      // The stores first: whoever is woken finds what is due.
      for (const store of this.stores) await store.moveTo(this.start + stop);
      this.elapsed = Math.max(this.elapsed, stop);
    }
    while (this.isDue) {
      this.waiters.shift()!.resolve();
      // A turn of the event loop empties the whole queue of microtasks, however long their chains are.
      await nextTurn();
    }
    await this.settle();
  }

  /** The earliest end that cannot be put off, or `target`. */
  private async nextStop(target: number): Promise<number> {
    const next = Math.min(target, this.waiters[0]?.at ?? target);
    const mayBePutOff = this.waiters.some((waiter) => waiter.at < target && this.endOf(waiter, false) > waiter.at);
    if (!mayBePutOff || this.stores.size === 0) return Math.max(this.elapsed, next);
    const isLeased = await this.isAnyLeased();
    const ends = this.waiters.map((waiter) => this.endOf(waiter, isLeased));
    return Math.max(this.elapsed, Math.min(target, ...ends));
  }

  /** One look of every loop in each advance is never put off: somebody outside may have done something. */
  private endOf({ at, latest, round }: Waiter, isLeased: boolean): number {
    return latest && round === this.round ? Math.max(at, latest(isLeased)) : at;
  }

  private async isAnyLeased(): Promise<boolean> {
    for (const store of this.stores) if (await store.isLeased()) return true;
    return false;
  }

  /** Behind all waiters that end at the same instant or earlier. */
  private placeOf(waiter: Waiter): number {
    const place = this.waiters.findIndex((other) => other.at > waiter.at);
    return place === -1 ? this.waiters.length : place;
  }
}
