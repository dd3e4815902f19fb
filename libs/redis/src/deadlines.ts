// Deadlines of calls under way: one timer for all of them, because a timer per call is the dearest part of a call.

const SWEEP_MS = 250;

interface Waiting {
  readonly expiresAt: number;
  expire(): void;
}

export class Deadlines {
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;

  /** The promise's outcome, or a rejection with `expired()` once `ms` (plus at most one sweep) have passed. */
  guard<T>(promise: Promise<T>, ms: number, expired: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry: Waiting = { expiresAt: performance.now() + ms, expire: () => reject(expired()) };
      this.waiting.add(entry);
      this.timer ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
      promise.then(
        (value) => {
          this.waiting.delete(entry);
          resolve(value);
        },
        (error: unknown) => {
          this.waiting.delete(entry);
          reject(error);
        },
      );
    });
  }

  private sweep(): void {
    const now = performance.now();
    for (const entry of this.waiting) {
      if (entry.expiresAt > now) continue;
      this.waiting.delete(entry);
      entry.expire();
    }
    if (this.waiting.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
