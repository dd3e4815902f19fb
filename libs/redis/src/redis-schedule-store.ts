// Recurring messages on Redis: records in shard 0 of their topic.
import {
  BrokerRefusedError,
  DROP_WATCHED_MS,
  MOST_SCHEDULES,
  TopicError,
  type CancelResult,
  type SchedulesRead,
  type ScheduleStore,
  type StoredRule,
  type StoredSchedule,
  type TickName,
} from '@millrace/core';
import { UnknownFate, type Caller } from './caller.js';
import type { ShardKeys } from './keys.js';
import type { ScriptArgument } from './scripts.js';
import type { Topics } from './topics.js';

/** A record as the scripts write it. */
interface Packed {
  revision: number;
  rule: string;
  okey: string;
  from: number;
  tick?: { at: number; sent: boolean };
  lastAt?: number;
  pause?: { by: string; why: string; since: number };
  drops?: { revision: number; at: number; okey: string; open: boolean }[];
  removed?: boolean;
}

const PUT_ANSWERS = { CREATED: 'created', CHANGED: 'changed', UNCHANGED: 'unchanged', FULL: 'full' } as const;

export class RedisScheduleStore implements ScheduleStore {
  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
  ) {}

  async read(topic: string, name = ''): Promise<SchedulesRead | undefined> {
    const keys = this.first(topic);
    const reply = await this.caller.run('read-schedules', [keys.meta, keys.schedules], [name]);
    if (reply === 'NONE') return undefined;
    const [now, since, ...pairs] = reply as string[];
    const found: StoredSchedule[] = [];
    for (let at = 0; at < pairs.length; at += 2) found.push(unpacked(pairs[at]!, pairs[at + 1]!));
    const schedules = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return { now: Number(now), since: Number(since), schedules };
  }

  async content(topic: string, name: string): Promise<string | undefined> {
    const reply = await this.caller.run('read-schedule-content', [this.first(topic).scheduleContents], [name]);
    return reply === 'NONE' ? undefined : (reply as string);
  }

  async put(
    topic: string,
    name: string,
    { rule, orderingKey, content }: { rule: StoredRule; orderingKey: string; content: string },
  ): Promise<'created' | 'changed' | 'unchanged' | 'full'> {
    const terms = [JSON.stringify(rule), orderingKey, content, MOST_SCHEDULES];
    return PUT_ANSWERS[(await this.order(topic, 'put', name, terms)) as keyof typeof PUT_ANSWERS];
  }

  async pause(topic: string, name: string, { by, why }: { by: string; why: string }): Promise<boolean> {
    return (await this.order(topic, 'pause', name, [by, why])) === 'DONE';
  }

  async resume(topic: string, name: string): Promise<boolean> {
    return (await this.order(topic, 'resume', name)) === 'DONE';
  }

  async remove(topic: string, name: string): Promise<boolean> {
    return (await this.order(topic, 'remove', name)) === 'DONE';
  }

  async plan(
    topic: string,
    name: string,
    { revision, at, after }: TickName & { after: number },
  ): Promise<{ content: string } | 'sent' | undefined> {
    const { schedules, scheduleContents } = this.first(topic);
    const args = [name, revision, at, after];
    const reply = (await this.caller.run('plan-tick', [schedules, scheduleContents], args)) as string;
    if (reply === 'CHANGED') return undefined;
    return reply === 'SENT' ? 'sent' : { content: reply.slice('SEND'.length) };
  }

  async sent(topic: string, name: string, { revision, at }: TickName): Promise<void> {
    await this.caller.run('mark-tick', [this.first(topic).schedules], [name, revision, at]);
  }

  async dropped(topic: string, name: string, { revision, at }: TickName, answer: CancelResult): Promise<void> {
    const { schedules, scheduleContents } = this.first(topic);
    await this.caller.run('settle-drop', [schedules, scheduleContents], [name, revision, at, answer, DROP_WATCHED_MS]);
  }

  /** Frozen: a repeated order would answer that there was nothing to do, or undo what others ordered in between. */
  private async order(topic: string, order: string, name: string, terms: ScriptArgument[] = []): Promise<string> {
    const keys = this.first(topic);
    const names = [keys.meta, keys.schedules, keys.scheduleContents];
    const freeze = (): Promise<string> =>
      this.caller.freeze('order-schedule', (slot) => keys.slot(slot), names, [order, name, ...terms]);
    try {
      let reply = await freeze();
      if (reply === 'NO_TOPIC') {
        await this.topics.redeclare(topic);
        reply = await freeze();
      }
      if (reply === 'NO_TOPIC') throw new TopicError(topic, `topic ${topic} does not exist`, 'MQ_TOPIC_NOT_FOUND');
      return reply;
    } catch (error) {
      if (!(error instanceof UnknownFate)) throw error;
      const problem = `whether the ${order} of schedule ${name} took effect is not known; ask again`;
      throw new BrokerRefusedError(problem, 'MQ_UNAVAILABLE', error.cause);
    }
  }

  private first(topic: string): ShardKeys {
    return this.topics.get(topic).shards[0]!;
  }
}

function unpacked(name: string, record: string): StoredSchedule {
  const { revision, rule, okey, from, tick, lastAt, pause, drops = [], removed = false } = JSON.parse(record) as Packed;
  const dropped = drops.map(({ okey: orderingKey, ...drop }) => ({ ...drop, orderingKey }));
  const read = JSON.parse(rule) as StoredRule;
  return { name, revision, rule: read, orderingKey: okey, from, tick, lastAt, pause, drops: dropped, removed };
}
