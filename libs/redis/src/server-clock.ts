// The server's clock as this process knows it: asked now and then, carried on by our monotonic clock in between.
import type { Connections } from './connections.js';

/** Two clocks drift apart by some ms in this time at most. */
const REFRESH_MS = 30_000;

export class ServerClock {
  private known: { readonly serverMs: number; readonly at: number } | undefined;
  private asking: Promise<void> | undefined;

  constructor(private readonly connections: Connections) {
    // It may be another server afterwards.
    connections.onBreak(() => void (this.known && this.ask()));
  }

  /** Never ahead of the server by more than the drift; behind it by the way of one reply. This process's clock until asked. */
  now(): number {
    if (this.connections.virtual) return this.connections.virtual.now();
    if (!this.known) return Date.now();
    const since = performance.now() - this.known.at;
    if (since > REFRESH_MS) void this.ask();
    return this.known.serverMs + since;
  }

  /** Never rejects: without an answer the former one stays. */
  ask(): Promise<void> {
    if (this.connections.virtual) return Promise.resolve();
    this.asking ??= this.read().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async read(): Promise<void> {
    try {
      const [seconds, micros] = await this.connections.command().time();
      this.known = { serverMs: Number(seconds) * 1000 + Number(micros) / 1000, at: performance.now() };
    } catch {
      // Asked again with the next use.
    }
  }
}
