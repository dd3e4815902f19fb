// Sends the ticks of one topic's schedules ahead of their time. Runs in every process that knows the topic and that it has
// schedules: there is no leader to lose. Whoever comes second is told `duplicate`.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';
import { IdempotencyConflictError } from '../errors.js';
import type { MqEvents } from '../events.js';
import { nextTick } from './next-tick.js';
import type { DroppedTick, ScheduleStore, StoredSchedule, TickName } from './schedule-store.js';
import { tickMessage, tickRef } from './tick-message.js';
import { tickRule, type TickRule } from './tick-rule.js';

export interface TickerParts {
  readonly store: ScheduleStore;
  readonly broker: Pick<Broker, 'send' | 'cancel'>;
  readonly clock: Clock;
  readonly events: MqEvents;
  readonly topic: string;
  /** How long the key of a tick is known after it was due, in ms. */
  readonly idempotencyWindowMs: number;
  readonly onError: OnLoopError;
  /** The topic's data may have been lost; stores again what this process knows. False when it knows nothing. */
  readonly restore: () => Promise<boolean>;
}

/** A tick waits in the delay store for so long at most: a process that is away for less than that is not missed. */
const AHEAD_MS = 60_000;
/** What other processes change is seen after so long. */
const LOOK_MS = 15_000;
/** Somebody else was quicker: what he did is looked at now. */
const AGAIN_MS = 20;
/** One schedule that is far behind does not keep the others waiting. */
const TICKS_PER_PASS = 20;

export class Ticker extends BackgroundLoop {
  /** Since when the topic has schedules, as it was read last. */
  private since?: number;
  private readonly rules = new Map<string, { readonly revision: number; readonly rule: TickRule }>();

  constructor(private readonly parts: TickerParts) {
    super({
      name: `schedules ${parts.topic}`,
      everyMs: LOOK_MS,
      pass: (signal) => this.tendAll(signal),
      onError: parts.onError,
      clock: parts.clock,
      // What this process knows to be due is wished for.
      isIdle: () => true,
    });
  }

  /** Cancels what must not be delivered any more; for whoever has ordered it, before he is answered. */
  async drop(name: string): Promise<void> {
    const read = await this.parts.store.read(this.parts.topic, name);
    for (const schedule of read?.schedules ?? []) await this.dropAll(schedule);
  }

  private async tendAll(signal: AbortSignal): Promise<number> {
    const { store, topic, clock, restore } = this.parts;
    const read = await store.read(topic);
    const isAsBefore = this.since === undefined || this.since === read?.since;
    this.since = read?.since;
    if (!read || !isAsBefore) return (await restore()) || read ? 0 : LOOK_MS;
    const readAt = clock.monotonic();
    const now = (): number => read.now + clock.monotonic() - readAt;
    let waitMs = Infinity;
    const errors: unknown[] = [];
    for (const schedule of read.schedules) {
      if (signal.aborted) break;
      // One schedule that cannot be sent, to a topic that is full say, must not hold up the others.
      await this.tend(schedule, now).then(
        (ms) => (waitMs = Math.min(waitMs, ms)),
        (error: unknown) => errors.push(error),
      );
    }
    if (errors.length > 0) throw errors[0];
    this.wakeIn(Math.max(0, waitMs));
    return LOOK_MS;
  }

  /** Sends what is to be sent of one schedule; returns in how many ms it must be looked at again, whatever others do. */
  private async tend(schedule: StoredSchedule, now: () => number): Promise<number> {
    await this.dropAll(schedule);
    // A message that is still under way may arrive after its cancel: one look after the other, until it cannot.
    const watchMs = schedule.drops.length > 0 ? LOOK_MS : Infinity;
    if (schedule.removed || schedule.pause) return watchMs;
    if (schedule.drops.some(({ open }) => open)) return AGAIN_MS;
    return Math.min(watchMs, await this.sendDue(schedule, now));
  }

  private async sendDue(schedule: StoredSchedule, now: () => number): Promise<number> {
    const { store, topic, idempotencyWindowMs } = this.parts;
    const { name, revision, rule } = schedule;
    let { from, tick } = schedule;
    for (let count = 0; count < TICKS_PER_PASS; count++) {
      // Later, nobody would know any more whether it was sent.
      if (tick && !tick.sent && now() < tick.at + idempotencyWindowMs) {
        const planned = await store.plan(topic, name, { revision, at: tick.at, after: tick.at });
        if (planned === undefined) return AGAIN_MS;
        if (planned !== 'sent') await this.send(schedule, tick.at, planned.content);
      }
      if (tick && tick.at > now()) return tick.at - now();
      const next = nextTick(this.ruleOf(schedule), rule.missed, tick?.at ?? from, now());
      if (!next) return Infinity;
      const early = next.at - now() - AHEAD_MS;
      if (early > 0) return early;
      const planned = await store.plan(topic, name, { revision, at: next.at, after: tick?.at ?? from });
      if (planned === undefined) return AGAIN_MS;
      if (planned !== 'sent') {
        if (next.hasMissed) this.tellMissed(schedule, tick?.at ?? from, next.at);
        await this.send(schedule, next.at, planned.content);
      }
      tick = { at: next.at, sent: true };
    }
    return 0;
  }

  private async send({ name, revision }: StoredSchedule, at: number, content: string): Promise<void> {
    const { store, broker, topic, clock, events, onError } = this.parts;
    const message = tickMessage(topic, name, content, clock.now(), { revision, at });
    const [result] = await broker.send([message]);
    // Somebody else has sent another message under this key: asking again would change nothing.
    if (!result!.ok && result!.error instanceof IdempotencyConflictError) onError(result!.error, `schedules ${topic}`);
    else if (!result!.ok) throw result!.error;
    else if (!result!.receipt.duplicate)
      events.emit('tick', { topic, schedule: name, at: new Date(at), messageId: result!.receipt.messageId });
    await store.sent(topic, name, { revision, at });
  }

  private async dropAll({ name, drops }: StoredSchedule): Promise<void> {
    for (const tick of drops) await this.dropTick(name, tick);
  }

  private async dropTick(name: string, tick: DroppedTick & TickName): Promise<void> {
    const { store, broker, topic } = this.parts;
    const answer = await broker.cancel(topic, tickRef(name, tick));
    await store.dropped(topic, name, tick, answer);
  }

  private tellMissed({ name, rule }: StoredSchedule, after: number, until: number): void {
    const { events, topic } = this.parts;
    const span = { after: new Date(after), until: new Date(until) };
    events.emit('ticks-missed', { topic, schedule: name, policy: rule.missed, ...span });
  }

  private ruleOf({ name, revision, rule }: StoredSchedule): TickRule {
    const known = this.rules.get(name);
    if (known?.revision === revision) return known.rule;
    const made = { revision, rule: tickRule(rule) };
    this.rules.set(name, made);
    return made.rule;
  }
}
