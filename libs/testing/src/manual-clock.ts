// Time that stands still until a test moves it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '@millrace/core';

interface Waiter {
  readonly at: number;
  readonly resolve: () => void;
}

/** 2026-01-01T00:00:00Z: a fixed beginning, so that printed times are the same in every run. */
const DEFAULT_START = Date.UTC(2026, 0, 1);

/**
 * A clock for tests: `wait` resolves only when `advance` reaches its end, in the order of the ends and, at the same
 * instant, in the order of asking. After each instant everything that became runnable runs before time goes on,
 * so a loop that waits again is woken at each of its steps, as it would be in real time.
 */
export class ManualClock implements Clock {
  private readonly waiters: Waiter[] = [];
  private elapsed = 0;
  private isMoving = false;

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

  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    // Not a microtask: a loop that waits for nothing must not keep everything else from running.
    if (ms <= 0) return nextTurn();
    await new Promise<void>((resolve) => {
      const end = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const waiter = { at: this.elapsed + ms, resolve: end };
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
    try {
      const target = this.elapsed + ms;
      await nextTurn();
      for (let next = this.waiters[0]; next && next.at <= target; next = this.waiters[0]) {
        this.waiters.shift();
        this.elapsed = Math.max(this.elapsed, next.at);
        next.resolve();
        // A turn of the event loop empties the whole queue of microtasks, however long their chains are.
        await nextTurn();
      }
      this.elapsed = target;
    } finally {
      this.isMoving = false;
    }
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

  /** Behind all waiters that end at the same instant or earlier. */
  private placeOf(waiter: Waiter): number {
    const place = this.waiters.findIndex((other) => other.at > waiter.at);
    return place === -1 ? this.waiters.length : place;
  }
}
