// ScheduleStore in memory.
import {
  ClosedError,
  type CancelResult,
  type SchedulesRead,
  type ScheduleStore,
  type StoredRule,
  type TickName,
} from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import type { StoredSchedules } from './stored-schedules.js';

export class InMemoryScheduleStore implements ScheduleStore {
  constructor(
    private readonly store: InMemoryStore,
    private readonly isClosed: () => boolean,
  ) {}

  async read(topic: string, name?: string): Promise<SchedulesRead | undefined> {
    // A topic that is not there any more has lost them.
    const stored = this.store.find(topic) && this.of(topic);
    if (!stored || stored.since === undefined) return undefined;
    const schedules = stored.all().filter((one) => name === undefined || one.name === name);
    return { now: this.store.now(), since: stored.since, schedules };
  }

  async content(topic: string, name: string): Promise<string | undefined> {
    return this.of(topic).present(name)?.content;
  }

  async put(
    topic: string,
    name: string,
    schedule: { rule: StoredRule; orderingKey: string; content: string },
  ): Promise<'created' | 'changed' | 'unchanged' | 'full'> {
    return this.of(topic).put(name, schedule, this.store.now());
  }

  async pause(topic: string, name: string, order: { by: string; why: string }): Promise<boolean> {
    return this.of(topic).pause(name, order, this.store.now());
  }

  async resume(topic: string, name: string): Promise<boolean> {
    return this.of(topic).resume(name, this.store.now());
  }

  async remove(topic: string, name: string): Promise<boolean> {
    return this.of(topic).remove(name, this.store.now());
  }

  async plan(
    topic: string,
    name: string,
    tick: TickName & { after: number },
  ): Promise<{ content: string } | 'sent' | undefined> {
    return this.of(topic).plan(name, tick);
  }

  async sent(topic: string, name: string, tick: TickName): Promise<void> {
    this.of(topic).sent(name, tick);
  }

  async dropped(topic: string, name: string, tick: TickName, answer: CancelResult): Promise<void> {
    this.of(topic).dropped(name, tick, answer, this.store.now());
  }

  private of(topic: string): StoredSchedules {
    if (this.isClosed()) throw new ClosedError('in-memory broker');
    return this.store.topic(topic).schedules;
  }
}
