// The relay: takes committed rows to the broker. Three things make it look: a commit in this process (`wake`), a
// notification of the database, and the poll interval as the safety net for both.
import { BackgroundLoop, systemClock, type Clock, type LoopHealth } from '@millrace/core';
import type { NotificationSubscription, OutboxDatabase } from '../database/outbox-database.js';
import { cancelPass } from './cancel-pass.js';
import type { CancellationStore } from './cancellation-store.js';
import { freePass } from './free-pass.js';
import { orderedPass } from './ordered-pass.js';
import type { RelaySpec } from './relay-options.js';
import type { ParkedMessage, RelayParts } from './relay-pass.js';
import type { RelayStore, RelayWork } from './relay-store.js';
import type { MessageSender } from './send-rows.js';

export interface RelaySetup<Tx> {
  database: OutboxDatabase<Tx>;
  store: RelayStore;
  cancellations: CancellationStore;
  sender: MessageSender;
  spec: RelaySpec;
  /** Notification channel. */
  channel: string;
  /** @default systemClock */
  clock?: Clock;
  /** A pass failed: the database or the broker is not there. It goes on by itself, with back-off. */
  onError?(error: unknown): void;
  /** Rows were refused too often and now wait for an operator. */
  onParked?(messages: readonly ParkedMessage[]): void;
}

export interface RelayHealth extends LoopHealth {
  readonly running: boolean;
  /** Whether notifications arrive; without them rows of other processes wait for the poll interval. */
  readonly listening: boolean;
}

export class OutboxRelay<Tx = unknown> {
  private readonly parts: RelayParts<Tx>;
  private readonly loop: BackgroundLoop;
  private subscription: NotificationSubscription | undefined;
  /** Kinds of which there was a full batch the last time. */
  private readonly behind = new Set<keyof RelayWork>();

  constructor(private readonly setup: RelaySetup<Tx>) {
    const { spec, clock = systemClock } = setup;
    this.parts = { ...setup, clock };
    this.loop = new BackgroundLoop({
      name: 'outbox-relay',
      everyMs: spec.pollMs,
      pass: (signal) => this.pass(signal),
      onError: (error) => setup.onError?.(error),
      clock,
    });
  }

  get isRunning(): boolean {
    return this.loop.isRunning;
  }

  start(): void {
    const { database, spec, channel } = this.setup;
    if (this.loop.isRunning) return;
    this.loop.start();
    if (spec.listen) this.subscription = database.listen?.(channel, () => this.wake());
  }

  /** Waits for the running pass; rows that are left wait for the next start. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([this.subscription?.close(), this.loop.stop()]);
    this.subscription = undefined;
  }

  /**
   * Something was committed. Cheap; during an outage it does not shorten the back-off, or every commit would hammer.
   */
  wake(): void {
    if (this.loop.health().lastError === undefined) this.loop.wakeIn(0);
  }

  /** One pass now, or the end of the one under way. Never rejects: see `health().lastError`. */
  runOnce(): Promise<void> {
    return this.loop.runOnce();
  }

  health(): RelayHealth {
    return {
      ...this.loop.health(),
      running: this.isRunning,
      listening: this.subscription?.connected ?? false,
    };
  }

  /**
   * Cancellations first: sends under the same name wait for them. Looks again at once while there was something to do.
   */
  private async pass(signal: AbortSignal): Promise<number | void> {
    const work = await this.setup.store.work(this.setup.database);
    let handled = 0;
    let outage: unknown;
    for (const [kind, pass] of PASSES) {
      if (!work[kind] || signal.aborted) continue;
      const { batchSize } = this.setup.spec;
      const results = await together(this.behind.has(kind) ? PASSES_WHEN_BEHIND : 1, () => pass(this.parts));
      for (const result of results) {
        handled += result.handled;
        outage ??= result.outage;
      }
      if (results.some((result) => result.handled >= batchSize)) this.behind.add(kind);
      else this.behind.delete(kind);
    }
    // Thrown only now, when what could be sent is marked and committed.
    if (outage !== undefined) throw outage;
    return handled > 0 ? 0 : undefined;
  }
}

/** While one sends, the other reads and marks. Each holds a connection of the pool. */
const PASSES_WHEN_BEHIND = 2;

/** Waits for all of them, whatever becomes of each. */
async function together<T>(count: number, run: () => Promise<T>): Promise<T[]> {
  const ended = await Promise.allSettled(Array.from({ length: count }, run));
  return ended.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}

const PASSES: readonly [keyof RelayWork, typeof cancelPass][] = [
  ['cancellations', cancelPass],
  ['ordered', orderedPass],
  ['free', freePass],
];
