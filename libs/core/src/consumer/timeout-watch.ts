// Watches how long the handlers of one listener run. One wait serves them all: they share a time-out, so who started
// first is due first, and a timer for each of many thousand handlers a second would cost more than the handlers.
import type { Clock } from '../clock.js';
import { Chain, type Chained } from './chain.js';

/** After its signal aborted, a handler has this long to end by itself. */
export const GRACE_MS = 5000;

/** What `add` gives, to end the watch of that run. */
export class WatchedRun<Run> implements Chained<WatchedRun<Run>> {
  chain?: Chain<WatchedRun<Run>>;
  before?: WatchedRun<Run>;
  after?: WatchedRun<Run>;

  constructor(
    readonly run: Run,
    /** Monotonic ms. */
    public end: number,
  ) {}
}

export class TimeoutWatch<Run> {
  /** In the order of their ends; a run is in one of the two. */
  private readonly inTime = new Chain<WatchedRun<Run>>();
  private readonly inGrace = new Chain<WatchedRun<Run>>();
  private readonly ending = new AbortController();
  private isWatching = false;

  constructor(
    private readonly clock: Clock,
    private readonly timeoutMs: number,
    private readonly on: { timedOut(run: Run): void; stalled(run: Run): void },
  ) {}

  /** @param startedAt monotonic ms; never less than that of the run before */
  add(run: Run, startedAt: number): WatchedRun<Run> {
    const watched = new WatchedRun(run, startedAt + this.timeoutMs);
    if (this.ending.signal.aborted) return watched;
    this.inTime.add(watched);
    if (!this.isWatching) void this.watch();
    return watched;
  }

  /** It ended, or its end no longer matters. */
  remove(watched: WatchedRun<Run>): void {
    watched.chain?.delete(watched);
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
    const [timeout, grace] = [this.inTime.first?.end, this.inGrace.first?.end];
    return timeout !== undefined && grace !== undefined ? Math.min(timeout, grace) : (timeout ?? grace);
  }

  private sweep(now: number): void {
    for (const watched of this.inGrace) {
      if (watched.end > now) break;
      this.inGrace.delete(watched);
      this.on.stalled(watched.run);
    }
    for (const watched of this.inTime) {
      if (watched.end > now) break;
      this.inTime.delete(watched);
      watched.end = now + GRACE_MS;
      this.inGrace.add(watched);
      this.on.timedOut(watched.run);
    }
  }
}
