// Watches how long the handlers of one listener run. One wait serves them all: they share a time-out, so who started
// first is due first, and a timer for each of many thousand handlers a second would cost more than the handlers.
import type { Clock } from '../clock.js';

/** After its signal aborted, a handler has this long to end by itself. */
export const GRACE_MS = 5000;

export class TimeoutWatch<Run> {
  /** In the order of their ends; a run is in one of the two. */
  private readonly inTime = new Map<Run, number>();
  private readonly inGrace = new Map<Run, number>();
  private readonly ending = new AbortController();
  private isWatching = false;

  constructor(
    private readonly clock: Clock,
    private readonly timeoutMs: number,
    private readonly on: { timedOut(run: Run): void; stalled(run: Run): void },
  ) {}

  /** @param startedAt monotonic ms; never less than that of the run before */
  add(run: Run, startedAt: number): void {
    if (this.ending.signal.aborted) return;
    this.inTime.set(run, startedAt + this.timeoutMs);
    if (!this.isWatching) void this.watch();
  }

  /** It ended, or its end no longer matters. */
  remove(run: Run): void {
    if (!this.inTime.delete(run)) this.inGrace.delete(run);
  }

  /** Ends the watch for good. */
  close(): void {
    this.ending.abort();
    this.inTime.clear();
    this.inGrace.clear();
  }

  /** Runs while there is something to watch. A run that ended in time costs no wake-up of its own. */
  private async watch(): Promise<void> {
    this.isWatching = true;
    for (let end = this.nextEnd(); end !== undefined; end = this.nextEnd()) {
      await this.clock.wait(end - this.clock.monotonic(), this.ending.signal);
      this.sweep(this.clock.monotonic());
    }
    this.isWatching = false;
  }

  private nextEnd(): number | undefined {
    const [timeout] = this.inTime.values();
    const [grace] = this.inGrace.values();
    return timeout !== undefined && grace !== undefined ? Math.min(timeout, grace) : (timeout ?? grace);
  }

  private sweep(now: number): void {
    for (const [run, end] of this.inGrace) {
      if (end > now) break;
      this.inGrace.delete(run);
      this.on.stalled(run);
    }
    for (const [run, end] of this.inTime) {
      if (end > now) break;
      this.inTime.delete(run);
      this.inGrace.set(run, now + GRACE_MS);
      this.on.timedOut(run);
    }
  }
}
