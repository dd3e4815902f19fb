// A cron pattern as a set of wall-clock times. Which instants they are is for the time zone to say (cron-rule.ts).
import { InvalidOptionError } from '../errors.js';
import { cronField, DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, type CronField, type FieldRange } from './cron-field.js';

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Eight years and a bit: from 29 February 1896 to 1904, and 2096 to 2104, there is none. */
const FARTHEST_DAYS = 366 * 9;
const DAY_MS = 86_400_000;

/**
 * Minute, hour, day of the month, month, day of the week; six fields begin with the second. Two restricted day fields
 * mean either of them, as in every cron. A wall-clock time is written as the Unix ms that it would be in UTC.
 */
export class CronPattern {
  /** The hour says nothing: ticks follow elapsed time, through every change of the clocks. */
  readonly isHourly: boolean;
  private readonly second: CronField;
  private readonly minute: CronField;
  private readonly hour: CronField;
  private readonly day: CronField;
  private readonly month: CronField;
  private readonly weekday: CronField;
  private readonly onLastDay: boolean;

  /** Throws InvalidOptionError. @param option named by it */
  constructor(pattern: unknown, option: string) {
    const bad = (problem: string): InvalidOptionError => new InvalidOptionError(option, pattern, problem);
    if (typeof pattern !== 'string') throw bad("must be a cron pattern, such as '0 3 * * *'");
    const fields = (MACROS[pattern.trim().toLowerCase()] ?? pattern.trim()).split(/\s+/);
    if (fields.length !== 5 && fields.length !== 6)
      throw bad('must have five fields, minute hour day month weekday, or six with the second first');
    const [second, minute, hour, day, month, weekday] = fields.length === 6 ? fields : ['0', ...fields];
    const read = (text: string | undefined, range: FieldRange): CronField => cronField(text!, range, bad);
    this.onLastDay = day!.toUpperCase() === 'L';
    [this.second, this.minute, this.hour] = [read(second, SECOND), read(minute, MINUTE), read(hour, HOUR)];
    this.day = this.onLastDay ? { values: [], isWild: false } : read(wild(day!), DAY);
    [this.month, this.weekday] = [read(month, MONTH), read(wild(weekday!), WEEKDAY)];
    this.isHourly = this.hour.isWild;
    if (this.nextWall(0) === undefined) throw bad('names a day that no month has');
  }

  /** The first wall-clock time of the pattern at `wall` or later, to the second; undefined when there is none for years. */
  nextWall(wall: number): number | undefined {
    const start = Math.ceil(wall / 1000) * 1000;
    const today = Math.floor(start / DAY_MS) * DAY_MS;
    for (let days = 0; days < FARTHEST_DAYS; days++) {
      const day = today + days * DAY_MS;
      if (!this.hasDay(new Date(day))) continue;
      const time = this.nextTime(days === 0 ? (start - today) / 1000 : 0);
      if (time !== undefined) return day + time * 1000;
    }
    return undefined;
  }

  private hasDay(date: Date): boolean {
    if (!this.month.values.includes(date.getUTCMonth() + 1)) return false;
    const isDay = this.onLastDay
      ? new Date(date.getTime() + DAY_MS).getUTCDate() === 1
      : this.day.values.includes(date.getUTCDate());
    const isWeekday = this.weekday.values.includes(date.getUTCDay());
    return this.day.isWild || this.weekday.isWild ? isDay && isWeekday : isDay || isWeekday;
  }

  /** The first time of day at or after this second of the day, in seconds. */
  private nextTime(from: number): number | undefined {
    for (const hour of this.hour.values) {
      if (hour * 3600 + 3599 < from) continue;
      for (const minute of this.minute.values) {
        const start = hour * 3600 + minute * 60;
        if (start + 59 < from) continue;
        const second = this.second.values.find((value) => start + value >= from);
        if (second !== undefined) return start + second;
      }
    }
    return undefined;
  }
}

/** `?` is what Quartz writes where the other day field decides. */
function wild(field: string): string {
  return field === '?' ? '*' : field;
}
