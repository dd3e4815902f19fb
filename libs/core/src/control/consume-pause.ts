// Whether this consumer is paused, for those who must stop: readers that wait, and starts of handlers.
import type { MqEvents } from '../events.js';
import type { PauseInForce } from './group-state.js';
import { isSamePause } from './pause.js';

export interface ConsumePauseParts {
  readonly topic: string;
  readonly group: string;
  readonly events: MqEvents;
  /** Nothing is paused any more. */
  readonly resumed: () => void;
}

export class ConsumePause {
  /** Read before every start: a plain flag. */
  isPaused = false;
  private inForce: readonly PauseInForce[] = [];
  private begun = new AbortController();
  private readonly waiting = new Set<() => void>();

  constructor(private readonly parts: ConsumePauseParts) {}

  /** Aborted when a pause begins; a new one each time. */
  get signal(): AbortSignal {
    return this.begun.signal;
  }

  /** Calls `wake` once, when nothing is paused any more. */
  whenResumed(wake: () => void): void {
    this.waiting.add(wake);
  }

  /** Takes over what is in force, and tells what has changed. */
  update(pauses: readonly PauseInForce[]): void {
    const before = this.inForce;
    this.inForce = pauses;
    const { topic, group, events } = this.parts;
    for (const { leftMs: _, ...pause } of pauses)
      if (!before.some((one) => isSamePause(one, pause))) events.emit('paused', { topic, group, ...pause });
    for (const { scope } of before)
      if (!pauses.some((one) => one.scope === scope)) events.emit('resumed', { topic, group, scope });
    if (pauses.length > 0 !== this.isPaused) this.toggle();
  }

  private toggle(): void {
    this.isPaused = !this.isPaused;
    if (this.isPaused) return this.begun.abort();
    this.begun = new AbortController();
    const woken = [...this.waiting];
    this.waiting.clear();
    for (const wake of woken) wake();
    this.parts.resumed();
  }
}
