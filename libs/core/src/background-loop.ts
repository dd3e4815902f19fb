// The one skeleton of every background loop: promote, reclaim, renew, trim, queue ownership, and the outbox relay.
import { systemClock, type Clock } from './clock.js';
import type { LoopHealth } from './loop-health.js';

/** Told of a failure in the background, with the name of the loop. */
export type OnLoopError = (error: unknown, loop: string) => void;

export interface LoopOptions {
  /** Name in health and in `loop-error` events. */
  name: string;
  /** One pass. What it returns is the ms until the next one (0 = at once); nothing means `everyMs`. */
  pass: (signal: AbortSignal) => Promise<number | void>;
  /** Pause between two passes, in ms. */
  everyMs: number;
  /** Share of a pause that is random, 0 to 1, so that processes started together do not march in step. @default 0 */
  jitter?: number;
  /** First pause after a failed pass, in ms; doubles with each failure in a row. @default 100 */
  errorDelayMs?: number;
  /** @default 5000 */
  maxErrorDelayMs?: number;
  /** Told of each failed pass. */
  onError?: OnLoopError;
  /**
   * Whether a pass that nobody wished for (`wakeIn`) would find nothing to do, as long as nobody outside of this process
   * does something: a clock of tests may leave such passes out, so that hours go by at once. It says whether anybody holds
   * a delivery. @default they are needed
   */
  isIdle?: (isLeased: boolean) => boolean;
  /** @default systemClock */
  clock?: Clock;
}

/** Without a reason an abort makes an error with a stack, which nobody looks at here. */
const WOKEN = 'woken';

/**
 * Runs passes one after the other, never two at once, until it is stopped; no error ends it.
 *
 *   idle --start--> running <--> waiting (pause, cut short by wakeIn) --stop--> stopped (--start--> running)
 */
export class BackgroundLoop {
  private readonly clock: Clock;
  private stopping: AbortController | undefined;
  private finished: Promise<void> = Promise.resolve();
  private running: Promise<void> | undefined;
  private wakeUp: AbortController | undefined;
  /** Monotonic ms of the earliest wish since the last pass began; Infinity when there is none. */
  private wakeAt = Infinity;
  private pauseEndsAt = Infinity;
  private errorsInARow = 0;
  private nextPauseMs = 0;
  private lastSuccessAt: number | undefined;
  private failingSince: number | undefined;
  private passBeganAt: number | undefined;
  private lastError: unknown;

  constructor(private readonly options: LoopOptions) {
    this.clock = options.clock ?? systemClock;
  }

  get isRunning(): boolean {
    return this.stopping !== undefined;
  }

  /** Begins with a pass at once. Without effect while running. */
  start(): void {
    if (this.stopping) return;
    const stopping = new AbortController();
    this.stopping = stopping;
    this.finished = this.finished.then(() => this.loop(stopping.signal));
  }

  /** Resolves when the running pass has ended; its signal is aborted. The loop can be started again. */
  async stop(): Promise<void> {
    this.stopping?.abort();
    this.stopping = undefined;
    this.wakeUp?.abort(WOKEN);
    await this.finished;
  }

  /** One pass now, or the one that is under way. Never rejects: errors go to `onError` and to health. */
  runOnce(signal: AbortSignal = new AbortController().signal): Promise<void> {
    this.running ??= this.pass(signal).finally(() => (this.running = undefined));
    return this.running;
  }

  /** Makes the next pass begin in `ms` at the latest. Also counts while a pass is under way, for the pause after it. */
  wakeIn(ms: number): void {
    const now = this.clock.monotonic();
    if (now + ms >= this.wakeAt) return;
    this.wakeAt = now + ms;
    // After a suspension the end of the pause may lie behind us, and its timer may not have fired yet.
    if (this.wakeAt < this.pauseEndsAt || this.pauseEndsAt <= now) this.wakeUp?.abort(WOKEN);
  }

  health(): LoopHealth {
    const since = (at: number | undefined): number | undefined =>
      at === undefined ? undefined : this.clock.monotonic() - at;
    return {
      loop: this.options.name,
      lastSuccessAgoMs: since(this.lastSuccessAt),
      runningForMs: since(this.passBeganAt),
      failingForMs: since(this.failingSince),
      lastError: this.lastError,
    };
  }

  private async loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.wakeAt = Infinity;
      await this.runOnce(signal);
      await this.pause(signal);
    }
  }

  /** Waits for the pause to end; each earlier wish cuts the wait and begins a shorter one. */
  private async pause(signal: AbortSignal): Promise<void> {
    const pauseEnd = this.clock.monotonic() + this.nextPauseMs;
    for (;;) {
      // After a failure nobody may cut the pause: whatever wakes the loop would make it a hot one.
      this.pauseEndsAt = this.errorsInARow > 0 ? pauseEnd : Math.min(pauseEnd, this.wakeAt);
      const leftMs = this.pauseEndsAt - this.clock.monotonic();
      if (signal.aborted || leftMs <= 0) break;
      this.wakeUp = new AbortController();
      await this.clock.wait(leftMs, this.wakeUp.signal, this.latestEnd);
    }
    this.wakeUp = undefined;
    this.pauseEndsAt = Infinity;
  }

  /** Until when the pause may be put off. */
  private readonly latestEnd = (isLeased: boolean): number =>
    this.errorsInARow === 0 && this.options.isIdle?.(isLeased) ? this.wakeAt : this.pauseEndsAt;

  private async pass(signal: AbortSignal): Promise<void> {
    const { everyMs, jitter = 0, errorDelayMs = 100, maxErrorDelayMs = 5000, name } = this.options;
    this.passBeganAt = this.clock.monotonic();
    try {
      const wantedMs = await this.options.pass(signal);
      this.nextPauseMs = typeof wantedMs === 'number' ? wantedMs : Math.ceil(everyMs * (1 - jitter * Math.random()));
      this.errorsInARow = 0;
      this.failingSince = undefined;
      this.lastError = undefined;
      this.lastSuccessAt = this.clock.monotonic();
    } catch (error) {
      this.nextPauseMs = Math.min(maxErrorDelayMs, errorDelayMs * 2 ** this.errorsInARow);
      this.errorsInARow = Math.min(this.errorsInARow + 1, 30);
      this.lastError = error;
      this.failingSince ??= this.clock.monotonic();
      // A pass that failed because it was told to stop is no news.
      if (!signal.aborted) this.report(error, name);
    } finally {
      this.passBeganAt = undefined;
    }
  }

  /** Whatever happens while an error is reported, the loop goes on. */
  private report(error: unknown, name: string): void {
    try {
      this.options.onError?.(error, name);
    } catch (problem) {
      process.emitWarning(problem instanceof Error ? problem : String(problem));
    }
  }
}
