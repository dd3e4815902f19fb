// Recurring messages of one Mq: `mq.schedules`.
import type { BackgroundLoop } from '../background-loop.js';
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';
import { checkPause } from '../control/pause.js';
import { BrokerRefusedError, ClosedError, InvalidOptionError, TopicError } from '../errors.js';
import type { MqEvents } from '../events.js';
import type { LoopHealth } from '../loop-health.js';
import type { SendReceipt } from '../producer/receipt.js';
import type { TopicRegistry } from '../topic-registry.js';
import { checkTopicName, type TopicSettings } from '../topic.js';
import { detailsOf, scheduleOf, type Schedule, type ScheduleDetails } from './schedule.js';
import { checkScheduleName, scheduleSpec, type ScheduleOptions, type ScheduleSpec } from './schedule-options.js';
import { MOST_SCHEDULES, type ScheduleStore } from './schedule-store.js';
import { tickMessage } from './tick-message.js';
import { Ticker } from './ticker.js';

export interface SchedulesParts {
  /** Absent: this broker keeps no schedules. */
  readonly store?: ScheduleStore;
  readonly broker: Broker;
  readonly topics: TopicRegistry;
  readonly clock: Clock;
  readonly events: MqEvents;
}

/**
 * A schedule belongs to its topic; its name is unique there. Each of its ticks is an ordinary message, sent ahead of its time
 * by every process that knows of the topic's schedules, and stored once. They go on while any such process lives.
 */
export class Schedules {
  private readonly tickers = new Map<string, Ticker>();
  /** What this process has stored, by topic and name: for a server that lost its data. */
  private readonly own = new Map<string, Map<string, ScheduleSpec>>();
  private closed = false;

  constructor(private readonly parts: SchedulesParts) {}

  /**
   * Stores a schedule; its first tick is the first one after now. The same again changes nothing, so every process may do it
   * at its start; another one replaces it, with what waits of it. A pause stays. Throws InvalidOptionError.
   */
  async upsert(name: string, options: ScheduleOptions): Promise<Schedule> {
    checkScheduleName(name);
    const spec = scheduleSpec(options);
    const ticker = await this.ticker(spec.topic);
    if ((await this.store.put(spec.topic, name, spec)) === 'full')
      throw new BrokerRefusedError(`topic ${spec.topic} has ${MOST_SCHEDULES} schedules already`, 'MQ_REFUSED');
    this.ownOf(spec.topic).set(name, spec);
    await ticker.drop(name);
    ticker.wakeIn(0);
    return (await this.look(spec.topic, name)) ?? this.gone(spec.topic, name);
  }

  /** By name. */
  async list(topic: string): Promise<Schedule[]> {
    await this.ticker(topic);
    const read = await this.store.read(topic);
    const present = read?.schedules.filter(({ removed }) => !removed) ?? [];
    return present.map((stored) => scheduleOf(topic, stored, read!.now));
  }

  /** With what it sends; undefined when there is none of this name. */
  async get(topic: string, name: string): Promise<ScheduleDetails | undefined> {
    await this.ticker(topic, name);
    const [schedule, content] = await Promise.all([this.look(topic, name), this.store.content(topic, name)]);
    return schedule && content !== undefined ? detailsOf(schedule, content) : undefined;
  }

  /**
   * Holds it back, also over restarts and upserts, until `resume`. The tick that waits is cancelled before this resolves. False
   * when there is no such schedule. Throws InvalidOptionError. @param order who, 1 to 200 characters, and why, 1 to 1000
   */
  async pause(topic: string, name: string, order: { by: string; why: string }): Promise<boolean> {
    const { by, why } = checkPause(order);
    const ticker = await this.ticker(topic, name);
    const found = await this.store.pause(topic, name, { by, why });
    await ticker.drop(name);
    return found;
  }

  /** Goes on with the first tick after now. False when it was not paused. */
  async resume(topic: string, name: string): Promise<boolean> {
    const ticker = await this.ticker(topic, name);
    const was = await this.store.resume(topic, name);
    ticker.wakeIn(0);
    return was;
  }

  /** Its tick that waits is cancelled before this resolves. False when there is no such schedule. */
  async remove(topic: string, name: string): Promise<boolean> {
    const ticker = await this.ticker(topic, name);
    this.own.get(topic)?.delete(name);
    const found = await this.store.remove(topic, name);
    await ticker.drop(name);
    return found;
  }

  /**
   * Sends its message once, now, beside its ticks, paused or not. Throws TopicError `MQ_SCHEDULE_NOT_FOUND`, or what
   * `producer.send` throws.
   */
  async trigger(topic: string, name: string): Promise<SendReceipt> {
    await this.ticker(topic, name);
    const content = await this.store.content(topic, name);
    if (content === undefined) return this.gone(topic, name);
    const [result] = await this.parts.broker.send([tickMessage(topic, name, content, this.parts.clock.now())]);
    if (result!.ok) return result!.receipt;
    throw result!.error;
  }

  /** Begins to look after the schedules of a topic that is in use here. Without effect the second time. */
  begin({ topic, idempotencyWindowMs }: TopicSettings): Ticker {
    let ticker = this.tickers.get(topic);
    if (ticker) return ticker;
    const { broker, clock, events } = this.parts;
    const onError = (error: unknown, loop: string): void => events.emit('loop-error', { loop, error });
    const restore = (): Promise<boolean> => this.restore(topic);
    const { store } = this;
    ticker = new Ticker({ store, broker, clock, events, topic, idempotencyWindowMs, onError, restore });
    this.tickers.set(topic, ticker);
    if (!this.closed) ticker.start();
    return ticker;
  }

  health(): LoopHealth[] {
    return this.loops().map((loop) => loop.health());
  }

  /** Resolves when the passes under way have ended. Nothing begins afterwards. */
  async stop(): Promise<void> {
    this.closed = true;
    await Promise.all(this.loops().map((loop) => loop.stop()));
  }

  private loops(): BackgroundLoop[] {
    return [...this.tickers.values()];
  }

  private get store(): ScheduleStore {
    if (this.parts.store) return this.parts.store;
    throw new InvalidOptionError('mq.ports', 'no schedules', 'this broker keeps no schedules');
  }

  private async ticker(topic: string, name?: string): Promise<Ticker> {
    checkTopicName(topic, 'schedule.topic');
    if (name !== undefined) checkScheduleName(name);
    if (this.closed) throw new ClosedError('mq');
    return this.begin(await this.parts.topics.declare(topic));
  }

  private async look(topic: string, name: string): Promise<Schedule | undefined> {
    const read = await this.store.read(topic, name);
    const found = read?.schedules.find(({ removed }) => !removed);
    return found && scheduleOf(topic, found, read!.now);
  }

  private async restore(topic: string): Promise<boolean> {
    const own = this.own.get(topic);
    if (own === undefined || own.size === 0) return false;
    await this.parts.topics.redeclare(topic);
    for (const [name, spec] of own) await this.store.put(topic, name, spec);
    return true;
  }

  private ownOf(topic: string): Map<string, ScheduleSpec> {
    const own = this.own.get(topic) ?? new Map<string, ScheduleSpec>();
    this.own.set(topic, own);
    return own;
  }

  private gone(topic: string, name: string): never {
    throw new TopicError(topic, `topic ${topic} has no schedule ${name}`, 'MQ_SCHEDULE_NOT_FOUND');
  }
}
