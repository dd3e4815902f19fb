// One direction of a proxied connection: takes chunks, the end and the reset of one side to the other, in order,
// through whatever the network is doing just now.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'node:net';

/** What the "network" does to everything that passes; shared by all connections of a proxy. */
export interface NetworkState {
  /** Each chunk arrives this much later, in ms. */
  delayMs: number;
  /** Set while nothing passes; resolves when the network is back. */
  blackhole: Promise<void> | undefined;
  /** Aborted when the proxy closes. */
  readonly closing: AbortSignal;
}

/** Beyond so many queued chunks the sender is paused, as a full TCP window would. */
const WINDOW = 64;

export class OneWay {
  private queued = 0;
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly network: NetworkState,
  ) {}

  /** @param filter what to forward of a chunk; an empty buffer swallows it */
  begin(filter: (chunk: Buffer) => Buffer): void {
    const { from, to } = this;
    from.on('data', (chunk: Buffer) => this.pass(() => this.write(filter(chunk))));
    from.on('end', () => this.pass(() => void to.end()));
    from.on('error', () => {});
    from.on('close', (hadError) => this.pass(() => void (hadError ? to.resetAndDestroy() : to.end())));
  }

  private write(bytes: Buffer): void {
    if (bytes.length === 0 || !this.to.writable) return;
    if (this.to.write(bytes)) return;
    this.from.pause();
    this.to.once('drain', () => this.from.resume());
  }

  /** Now, when the network is well and nothing is ahead; else behind the others, when its time has come. */
  private pass(action: () => void): void {
    if (this.queued === 0 && this.network.delayMs === 0 && !this.network.blackhole) return action();
    const dueAt = performance.now() + this.network.delayMs;
    if (++this.queued > WINDOW) this.from.pause();
    this.tail = this.tail.then(async () => {
      await this.arrival(dueAt);
      action();
      if (--this.queued <= WINDOW) this.from.resume();
    });
  }

  private async arrival(dueAt: number): Promise<void> {
    const { closing } = this.network;
    const leftMs = dueAt - performance.now();
    if (leftMs > 0 && !closing.aborted) await sleep(leftMs, undefined, { signal: closing, ref: false }).catch(() => {});
    while (this.network.blackhole && !closing.aborted) await this.network.blackhole;
  }
}
