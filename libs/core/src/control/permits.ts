// Starts of handlers by the rate limit of the whole group: booked ahead at the broker, a few at a time, each for its own
// instant. So the limit costs a few calls a second, however many processes wait for it.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Clock } from '../clock.js';
import type { BookedStarts } from './group-shares.js';

export interface PermitsParts {
  readonly clock: Clock;
  readonly name: string;
  readonly book: (wanted: number) => Promise<BookedStarts>;
  /** How many handlers would start now, were it not for the limit. */
  readonly wanted: () => number;
  /** A start may be tried now. */
  readonly wake: () => void;
  readonly onError: OnLoopError;
}

/** A booked start that nobody used so long is void: what waited for it is gone, and starts must not pile up. */
const VOID_AFTER_MS = 1000;
const IDLE_MS = 5000;

export class Permits extends BackgroundLoop {
  /** Monotonic ms from which each may be used; ascending. */
  private readonly from: number[] = [];
  private askAgainAt = 0;

  constructor(private readonly parts: PermitsParts) {
    super({
      name: `rate ${parts.name}`,
      everyMs: IDLE_MS,
      maxErrorDelayMs: 1000,
      pass: () => this.tend(),
      onError: parts.onError,
      clock: parts.clock,
      isIdle: () => parts.wanted() === 0,
    });
  }

  /** Uses a start up, if one is due. If not, `wake` is called when one is. */
  take(now: number): boolean {
    if (this.from[0] !== undefined && this.from[0] <= now) {
      this.from.shift();
      return true;
    }
    this.wakeIn(Math.max(0, Math.min(this.from[0] ?? Infinity, this.askAgainAt) - now));
    return false;
  }

  /** It did not come to the start that was taken. */
  giveBack(now: number): void {
    this.from.unshift(now);
  }

  /** The limit has changed: what was booked under the former one may be too late or too early. */
  forget(): void {
    this.from.length = 0;
    this.askAgainAt = 0;
    this.wakeIn(0);
  }

  private async tend(): Promise<number> {
    const { clock, book, wanted, wake } = this.parts;
    let now = clock.monotonic();
    while (this.from[0] !== undefined && this.from[0] < now - VOID_AFTER_MS) this.from.shift();
    const missing = wanted() - this.from.length;
    if (missing > 0 && this.askAgainAt <= now) {
      const { count, firstInMs, everyMs, againInMs } = await book(missing);
      now = clock.monotonic();
      for (let index = 0; index < count; index++) this.from.push(now + firstInMs + index * everyMs);
      // Not in step with the other processes, or the same one would always be the first to ask.
      this.askAgainAt = count < missing ? now + againInMs * (1 + 0.5 * Math.random()) : now;
    }
    if (this.from[0] !== undefined && this.from[0] <= now) wake();
    return this.pauseMs(now);
  }

  private pauseMs(now: number): number {
    const stillMissing = this.parts.wanted() > this.from.length;
    const next = Math.min(this.from[0] ?? Infinity, stillMissing ? this.askAgainAt : Infinity);
    return Math.min(IDLE_MS, Math.max(1, next - now));
  }
}
