// A schedule as users and operators see it.
import type { SendOptions } from '../producer/send-options.js';
import { nextTick } from './next-tick.js';
import type { ScheduleContent } from './schedule-options.js';
import type { StoredSchedule } from './schedule-store.js';
import { tickRule } from './tick-rule.js';

export interface Schedule {
  readonly name: string;
  readonly topic: string;
  readonly cron?: string;
  readonly timeZone?: string;
  readonly everyMs?: number;
  readonly missed: 'skip' | 'latest' | 'all';
  /** Grows with every change of the schedule. */
  readonly revision: number;
  /** When its next message is due, by the broker's clock; undefined while it is paused. */
  readonly nextAt?: Date;
  /** The latest tick that was due. */
  readonly lastAt?: Date;
  readonly paused?: { readonly by: string; readonly why: string; readonly since: Date };
}

/** With what it sends; `get` reads it, a list does not. */
export interface ScheduleDetails extends Schedule {
  readonly body: unknown;
  readonly options: Readonly<SendOptions>;
}

export function scheduleOf(topic: string, stored: StoredSchedule, now: number): Schedule {
  const { name, revision, rule, tick, lastAt, pause, from } = stored;
  const { cron, timeZone, everyMs, missed } = rule;
  const isWaiting = tick !== undefined && tick.at > now;
  const last = isWaiting || tick === undefined ? lastAt : tick.at;
  const next = isWaiting ? tick.at : nextTick(tickRule(rule), missed, tick?.at ?? from, now)?.at;
  return {
    name,
    topic,
    ...(everyMs === undefined ? { cron, timeZone } : { everyMs }),
    missed,
    revision,
    ...(pause || next === undefined ? {} : { nextAt: new Date(next) }),
    ...(last === undefined ? {} : { lastAt: new Date(last) }),
    ...(pause && { paused: { by: pause.by, why: pause.why, since: new Date(pause.since) } }),
  };
}

export function detailsOf(schedule: Schedule, content: string): ScheduleDetails {
  return { ...schedule, ...(JSON.parse(content) as ScheduleContent) };
}
