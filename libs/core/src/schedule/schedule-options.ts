// Options of a schedule: documentation, defaults and checks in one place.
import { toMs, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import { checkInteger, checkOptions } from '../option-check.js';
import { checkName, checkSendOptions, type SendOptions } from '../producer/send-options.js';
import { checkTopicName } from '../topic.js';
import { tickRule, type StoredRule } from './tick-rule.js';

/** Exactly one of `cron` and `every` is given. */
export interface ScheduleOptions {
  /** Where its messages go. */
  topic: string;
  /**
   * Minute, hour, day of the month, month, day of the week, as in every cron: `*`, lists, ranges, steps, names of months and
   * days, `L` for the last day of the month, `@daily` and the like. Six fields begin with the second.
   */
  cron?: string;
  /** A tick whenever Unix time is a multiple of it: `'15m'` means at :00, :15, :30 and :45. At least 100ms. */
  every?: Duration;
  /** IANA name of the time zone whose clocks `cron` goes by. @default 'UTC' */
  timeZone?: string;
  /**
   * What becomes of ticks that no process was there to send within a minute: given up, or made up for at once by the latest
   * of them, or by all of them (the last 100). Ticks of a pause are given up in any case. @default 'skip'
   */
  missed?: 'skip' | 'latest' | 'all';
  /** Any JSON value; with the message options at most 64 KiB. @default null */
  body?: unknown;
  tag?: string;
  /** Without one, ticks are spread over the queues. */
  orderingKey?: string;
  /** @default [] */
  keys?: readonly string[];
  /** `mq-schedule` and `mq-tick`, the instant in ISO form, are added. @default {} */
  headers?: Readonly<Record<string, string>>;
  /** As of any message. A tick that nobody has handled when the next one comes needs no handler: `ttl` says so. */
  ttl?: Duration;
  maxAttempts?: number;
}

export const SCHEDULE_DEFAULTS = { timeZone: 'UTC', missed: 'skip', body: null } as const;

/** What is stored as the content of a schedule, as JSON. */
export interface ScheduleContent {
  readonly body: unknown;
  readonly options: SendOptions;
}

/** A schedule as it is stored. */
export interface ScheduleSpec {
  readonly topic: string;
  readonly rule: StoredRule;
  readonly orderingKey: string;
  /** JSON of `ScheduleContent`. */
  readonly content: string;
}

const MESSAGE_OPTIONS = ['tag', 'orderingKey', 'keys', 'headers', 'ttl', 'maxAttempts'] as const;
const KNOWN = ['topic', 'cron', 'every', 'timeZone', 'missed', 'body', ...MESSAGE_OPTIONS];
const SHORTEST_MS = 100;
const LONGEST_MS = 365 * 86_400_000;
const MOST_BYTES = 64 * 1024;
const NAME = /^[%a-zA-Z0-9_.:/-]{1,120}$/;

/** Throws InvalidOptionError. */
export function checkScheduleName(name: unknown, option = 'schedule.name'): string {
  if (typeof name !== 'string' || !NAME.test(name))
    throw new InvalidOptionError(option, name, 'a schedule name is 1 to 120 of the characters % a-z A-Z 0-9 _ . : / -');
  return name;
}

/** Checks and completes what code says of a schedule. Throws InvalidOptionError. */
export function scheduleSpec(given: ScheduleOptions): ScheduleSpec {
  checkOptions('schedule', given, KNOWN);
  const topic = checkTopicName(given.topic, 'schedule.topic');
  const rule = ruleOf(given);
  const { orderingKey } = given;
  if (orderingKey !== undefined) checkName('schedule.orderingKey', orderingKey);
  return { topic, rule, orderingKey: orderingKey ?? '', content: contentOf(topic, given) };
}

function ruleOf({ cron, every, timeZone, missed = SCHEDULE_DEFAULTS.missed }: ScheduleOptions): StoredRule {
  if (!['skip', 'latest', 'all'].includes(missed))
    throw new InvalidOptionError('schedule.missed', missed, "must be 'skip', 'latest' or 'all'");
  if ((cron === undefined) === (every === undefined))
    throw new InvalidOptionError('schedule', { cron, every }, "needs exactly one of 'cron' and 'every'");
  if (every !== undefined) {
    if (timeZone !== undefined)
      throw new InvalidOptionError('schedule.timeZone', timeZone, "belongs to 'cron'; 'every' counts elapsed time");
    return { everyMs: checkInteger('schedule.every', toMs('schedule.every', every), SHORTEST_MS, LONGEST_MS), missed };
  }
  const rule = { cron, timeZone: timeZone ?? SCHEDULE_DEFAULTS.timeZone, missed };
  tickRule(rule);
  return rule;
}

function contentOf(topic: string, given: ScheduleOptions): string {
  const named = MESSAGE_OPTIONS.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]);
  const { body = SCHEDULE_DEFAULTS.body } = given;
  if (body instanceof Uint8Array) throw new InvalidOptionError('schedule.body', 'bytes', 'must be a JSON value');
  const options = Object.fromEntries(named) as SendOptions;
  checkSendOptions(topic, body, options);
  const content = JSON.stringify({ body, options } satisfies ScheduleContent);
  const bytes = Buffer.byteLength(content);
  if (bytes > MOST_BYTES)
    throw new InvalidOptionError(
      'schedule.body',
      `${bytes} bytes`,
      `with its options must not exceed ${MOST_BYTES} bytes`,
    );
  return content;
}
