// Keeps a rate: so many letters in so long, evenly spread, without a burst after a pause.
import type { Clock } from '@millrace/core';
import type { Rate } from './operation.js';

/** Batches are as small as a tick of 100 ms allows; without a rate as large as one call takes. */
const TICK_MS = 100;
const LARGEST_BATCH = 100;

export class Pace {
  /** How many letters one batch may hold. */
  readonly batch: number;
  private readonly msPerLetter: number;
  /** Monotonic ms at which the next batch may go. */
  private nextAt: number | undefined;

  constructor(
    rate: Rate | undefined,
    private readonly clock: Clock,
  ) {
    this.msPerLetter = rate ? rate.perMs / rate.max : 0;
    const perTick = rate ? Math.floor(TICK_MS / this.msPerLetter) : LARGEST_BATCH;
    this.batch = Math.max(1, Math.min(LARGEST_BATCH, perTick));
  }

  /** Ms until so many letters may go. */
  dueInMs(): number {
    return Math.max(0, (this.nextAt ?? -Infinity) - this.clock.monotonic());
  }

  /** So many letters went. */
  spent(letters: number): void {
    const now = this.clock.monotonic();
    // What was missed while the server was slow is made up for one tick at most: more would be a burst.
    const from = this.nextAt === undefined ? now : Math.max(this.nextAt, now - TICK_MS);
    this.nextAt = from + letters * this.msPerLetter;
  }
}
