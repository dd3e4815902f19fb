// How many handlers may run here by the limit of the whole group: slots held at the broker under a lease.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Clock } from '../clock.js';
import type { HeldSlots } from './group-shares.js';

export interface SlotsParts {
  readonly clock: Clock;
  readonly name: string;
  readonly leaseMs: number;
  readonly hold: (need: { running: number; wanted: number }) => Promise<HeldSlots>;
  readonly running: () => number;
  /** How many handlers would start now, were it not for the limit. */
  readonly wanted: () => number;
  /** A start may be tried now. */
  readonly wake: () => void;
  readonly onError: OnLoopError;
}

/** Between two asks while slots are missing: short enough to take over what others give back, no busy polling. */
const MISSING_MS = 200;
/** Slots that a short lull leaves unused are kept so long, or each of many short handlers would cost two calls. */
const LULL_MS = 100;
/** Renewal, and how soon a member notices that others wait for its slots. */
const RENEW_MS = 1000;
const IDLE_MS = 5000;

export class Slots extends BackgroundLoop {
  private held = 0;
  private share = 0;
  private asked = 0;
  /** Monotonic ms until which they are surely ours. */
  private until = 0;
  private askedAt = -Infinity;

  constructor(private readonly parts: SlotsParts) {
    super({
      name: `concurrency ${parts.name}`,
      everyMs: RENEW_MS,
      maxErrorDelayMs: RENEW_MS,
      pass: () => this.tend(),
      onError: parts.onError,
      clock: parts.clock,
      isIdle: () => this.isUnused,
    });
  }

  /** So many more handlers may run. */
  room(): number {
    return Math.max(0, this.usable - this.parts.running());
  }

  /** Whether one more handler may run. If not, `wake` is called when one may. */
  hasRoom(now: number): boolean {
    if (this.parts.running() < this.usable && now < this.until) return true;
    const { running, wanted } = this.parts;
    // Asked for already: the answer was no, so far.
    const isNews = running() + wanted() > this.asked;
    this.wakeIn(isNews ? 0 : Math.max(0, this.askedAt + MISSING_MS - now));
    return false;
  }

  /** A handler ended: its slot goes to others who wait for it, or to nobody when it is soon used here again. */
  freed(): void {
    this.wakeIn(this.held > this.share ? 0 : LULL_MS);
  }

  /** The limit has changed. */
  refresh(): void {
    this.wakeIn(0);
  }

  /** What is held beyond our share is kept for handlers that run: no new one begins in it. */
  private get usable(): number {
    return Math.min(this.held, this.share);
  }

  private get isUnused(): boolean {
    const { running, wanted } = this.parts;
    return this.held === 0 && this.asked === 0 && running() + wanted() === 0;
  }

  private async tend(): Promise<number> {
    const { clock, hold, leaseMs, running, wanted, wake } = this.parts;
    const askedAt = clock.monotonic();
    const need = { running: running(), wanted: running() + wanted() };
    if (this.isUnused) return IDLE_MS;
    const before = this.held;
    [this.asked, this.askedAt] = [need.wanted, askedAt];
    const { held, share } = await hold(need);
    [this.held, this.share, this.until] = [held, share, askedAt + leaseMs];
    if (held > before || running() < this.usable) wake();
    if (running() + wanted() > this.usable) return MISSING_MS * (0.75 + 0.5 * Math.random());
    return Math.min(RENEW_MS, leaseMs / 3);
  }
}
