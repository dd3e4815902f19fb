// Ends deliveries at the broker. What is settled in one turn of the event loop leaves as one call.
import { setMaxListeners } from 'node:events';
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';
import { MqError } from '../errors.js';
import type { MqEvents } from '../events.js';
import type { Delivery, Settlement, SettleResult } from './delivery.js';
import type { HeldDelivery } from './held-delivery.js';

/** `unknown`: the broker could not be asked; the lease will expire, and the message comes again. */
export type SettleAnswer = SettleResult | 'unknown';

export interface SettlerParts {
  readonly broker: Pick<Broker, 'settle'>;
  readonly clock: Clock;
  readonly events: MqEvents;
  /** For errors: topic and group. */
  readonly name: string;
  /** Nothing more is done with it but telling the broker. */
  began(held: HeldDelivery): void;
  answered(held: HeldDelivery, settlement: Settlement, answer: SettleAnswer): void;
}

interface Item {
  readonly held: HeldDelivery;
  readonly delivery: Delivery;
  readonly settlement: Settlement;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;

/**
 * A settlement that the broker could not store is tried again while the consumer is open: its delivery stays held and
 * its lease renewed, because giving it up would mean to do finished work a second time.
 */
export class Settler {
  private batch: Item[] = [];
  private readonly closing = new AbortController();
  private calls = 0;
  private readonly idleWaiters: (() => void)[] = [];

  constructor(private readonly parts: SettlerParts) {
    // One wait for each batch that is tried again, all on this signal: many are no leak.
    setMaxListeners(0, this.closing.signal);
  }

  settle(held: HeldDelivery, settlement: Settlement): void {
    held.state = 'settling';
    this.parts.began(held);
    this.batch.push({ held, delivery: held.delivery, settlement });
    if (this.batch.length > 1) return;
    queueMicrotask(() => this.flush());
  }

  /** What was settled in this turn leaves now. */
  flush(): void {
    if (this.batch.length === 0) return;
    const { batch } = this;
    this.batch = [];
    void this.send(batch);
  }

  /** Resolves when every settlement so far was answered or given up. */
  async idle(): Promise<void> {
    while (this.batch.length > 0 || this.calls > 0)
      await new Promise<void>((resolve) => this.idleWaiters.push(resolve));
  }

  /** No further tries; calls under way are still waited for by `idle`. */
  close(): void {
    this.closing.abort();
  }

  /** Never rejects. */
  private async send(batch: readonly Item[]): Promise<void> {
    this.calls++;
    const answers = await this.askUntilAnswered(batch);
    for (const [index, { held, settlement }] of batch.entries())
      this.parts.answered(held, settlement, answers?.[index] ?? 'unknown');
    this.calls--;
    for (const wake of this.idleWaiters.splice(0)) wake();
  }

  private async askUntilAnswered(batch: readonly Item[]): Promise<SettleResult[] | undefined> {
    const { broker, clock, events, name } = this.parts;
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(MAX_RETRY_MS, delayMs * 2)) {
      try {
        return await broker.settle(batch);
      } catch (error) {
        events.emit('loop-error', { loop: `settle ${name}`, error });
        if (this.closing.signal.aborted || !(error instanceof MqError && error.retriable)) return undefined;
        await clock.wait(delayMs, this.closing.signal);
      }
    }
  }
}
