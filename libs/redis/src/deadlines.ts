// Deadlines of calls under way: one timer for all of them, because a timer per call is the dearest part of a call.

const SWEEP_MS = 250;
/** Of reads that block: their deadlines are long, and one is always under way, so a sweep wakes a process that is at rest. */
const SWEEPS_PER_SILENCE = 6;
/** Reads that ended are kept until the next sweep: however long a silence may be, they must not pile up. */
const LONGEST_SWEEP_MS = 2_500;

/**
 * A class, not a literal: V8 comes to allocate a literal that mostly lives for a while in the old space, and with it every new
 * object it refers to. What the call holds would then outlive it until a full collection, and keep later young objects alive.
 */
class Waiting {
  private reject: ((error: Error) => void) | undefined;
  private expired: (() => Error) | undefined;

  constructor(
    readonly expiresAt: number,
    reject: (error: Error) => void,
    expired: () => Error,
  ) {
    this.reject = reject;
    this.expired = expired;
  }

  /** Its promise is not settled yet. */
  get isOpen(): boolean {
    return this.reject !== undefined;
  }

  /** Its promise is settled: nothing of the call is held any longer. */
  end(): void {
    this.reject = undefined;
    this.expired = undefined;
  }

  expire(): void {
    this.reject?.(this.expired!());
  }
}

export class Deadlines {
  /** Swept, not emptied one by one: a Set through which every call passes costs a trail of dead tables (core's chain.ts). */
  private waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly sweepMs = SWEEP_MS) {}

  /** @param silenceMs when a silent server is left */
  static ofReads(silenceMs: number): Deadlines {
    return new Deadlines(Math.min(silenceMs / SWEEPS_PER_SILENCE, LONGEST_SWEEP_MS));
  }

  /** The promise's outcome, or a rejection with `expired()` once `ms` (plus at most one sweep) have passed. */
  guard<T>(promise: Promise<T>, ms: number, expired: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry = new Waiting(performance.now() + ms, reject, expired);
      this.waiting.push(entry);
      this.timer ??= setInterval(() => this.sweep(), this.sweepMs).unref();
      promise.then(
        (value) => {
          entry.end();
          resolve(value);
        },
        (error: unknown) => {
          entry.end();
          reject(error);
        },
      );
    });
  }

  private sweep(): void {
    const now = performance.now();
    const left: Waiting[] = [];
    for (const entry of this.waiting) {
      if (!entry.isOpen) continue;
      if (entry.expiresAt > now) left.push(entry);
      else entry.expire();
    }
    this.waiting = left;
    if (left.length > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
