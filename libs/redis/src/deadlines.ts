// Deadlines of calls under way: one timer for all of them, because a timer per call is the dearest part of a call.

const SWEEP_MS = 250;

interface Waiting {
  readonly expiresAt: number;
  /** Undefined once its promise is settled. */
  expire?: () => void;
}

export class Deadlines {
  /** Swept, not emptied one by one: a Set through which every call passes costs a trail of dead tables (core's chain.ts). */
  private waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;

  /** The promise's outcome, or a rejection with `expired()` once `ms` (plus at most one sweep) have passed. */
  guard<T>(promise: Promise<T>, ms: number, expired: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry: Waiting = { expiresAt: performance.now() + ms, expire: () => reject(expired()) };
      this.waiting.push(entry);
      this.timer ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
      promise.then(
        (value) => {
          entry.expire = undefined;
          resolve(value);
        },
        (error: unknown) => {
          entry.expire = undefined;
          reject(error);
        },
      );
    });
  }

  private sweep(): void {
    const now = performance.now();
    const left: Waiting[] = [];
    for (const entry of this.waiting) {
      if (!entry.expire) continue;
      if (entry.expiresAt > now) left.push(entry);
      else entry.expire();
    }
    this.waiting = left;
    if (left.length > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
