// Removes what is kept for a time only: sent rows and inbox records, in bounded batches.
import { BackgroundLoop, type LoopHealth } from '@millrace/core';
import type { OutboxDatabase } from '../database/outbox-database.js';

/** Rows deleted per statement: short transactions, so that nobody waits for the cleaner. */
const BATCH = 1000;

export interface CleanStore {
  /** Deletes up to `max` rows sent longer ago than this; those locked by someone are left out. Returns how many. */
  deleteSent(sql: OutboxDatabase, olderThanMs: number, max: number): Promise<number>;
  deleteHandled(sql: OutboxDatabase, olderThanMs: number, max: number): Promise<number>;
}

export interface CleanerSetup {
  database: OutboxDatabase;
  store: CleanStore;
  keepSentMs: number;
  keepHandledMs: number;
  /** Pause between two rounds, in ms. @default 60000 */
  everyMs?: number;
  onError?(error: unknown): void;
}

export class TableCleaner {
  private readonly loop: BackgroundLoop;

  constructor(private readonly setup: CleanerSetup) {
    const { everyMs = 60_000 } = setup;
    this.loop = new BackgroundLoop({
      name: 'outbox-clean',
      everyMs,
      // Processes that were started together must not clean together.
      jitter: 0.5,
      pass: () => this.pass(),
      onError: (error) => setup.onError?.(error),
    });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** One batch of each kind. */
  runOnce(): Promise<void> {
    return this.loop.runOnce();
  }

  health(): LoopHealth {
    return this.loop.health();
  }

  /** A full batch means that there is more: it goes on at once. */
  private async pass(): Promise<number | void> {
    const { database, store, keepSentMs, keepHandledMs } = this.setup;
    const sent = await store.deleteSent(database, keepSentMs, BATCH);
    const handled = await store.deleteHandled(database, keepHandledMs, BATCH);
    return sent === BATCH || handled === BATCH ? 0 : undefined;
  }
}
