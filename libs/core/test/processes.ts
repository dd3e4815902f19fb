// For specs of core: several processes on one store. A process that is left out of an `advance` stands still meanwhile,
// as one that was suspended does.
import { createTestMq, InMemoryStore, ManualClock, type TestMq } from '@millrace/testing';
import type { ListenerOptions } from '../src/consumer/listener-options.js';
import type { MqOptions } from '../src/mq.js';
import { HandlerRuns } from './handler-runs.js';

/** Time can have passed without any timer having fired: what a process sees that wakes up from a suspension. */
export class ProcessClock extends ManualClock {
  private sleptMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.sleptMs;
  }

  override now(): number {
    return super.now() + this.sleptMs;
  }

  suspend(ms: number): void {
    this.sleptMs += ms;
  }
}

export interface TestProcess {
  readonly test: TestMq;
  readonly clock: ProcessClock;
  readonly runs: HandlerRuns;
}

const STEP_MS = 100;

export class Processes {
  private readonly time = new ManualClock();
  /** In the order of their starts. */
  readonly all: TestProcess[] = [];
  private readonly store = new InMemoryStore({ clock: this.time });

  /** @param listener of the processes; each may differ in something @param options of each of them */
  constructor(
    private readonly listener: ListenerOptions,
    private readonly options: Omit<MqOptions, 'clock'> = {},
  ) {}

  async start(options: Partial<ListenerOptions> = {}, runs = new HandlerRuns()): Promise<TestProcess> {
    const clock = new ProcessClock(this.time.now());
    const started = { test: createTestMq({ ...this.options, store: this.store, clock }), clock, runs };
    this.all.push(started);
    started.test.mq.listen({ ...this.listener, ...options }, started.runs.handler);
    await started.test.mq.start();
    return started;
  }

  /** Time goes on for the store and for these processes; without any: for all. */
  async advance(ms: number, ...awake: TestProcess[]): Promise<void> {
    const clocks = (awake.length > 0 ? awake : this.all).map(({ clock }) => clock);
    for (let left = ms; left >= 0; left -= STEP_MS) {
      const step = Math.min(STEP_MS, left);
      await this.time.advance(step);
      for (const clock of clocks) await clock.advance(step);
    }
  }

  /** Time goes on for the store alone. */
  advanceStore(ms: number): Promise<void> {
    return this.time.advance(ms);
  }

  async close(): Promise<void> {
    for (const { runs } of this.all) runs.endAll();
    const closed = Promise.all(this.all.map(({ test }) => test.mq.close()));
    await this.advance(60_000);
    await closed;
  }
}
