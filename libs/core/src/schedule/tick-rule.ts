// Which instants a schedule has: a cron pattern in a time zone, or every so many ms.
import { CronPattern } from './cron-pattern.js';
import { TimeZone } from './time-zone.js';

/** What is stored of it; exactly one of `cron` and `everyMs`. */
export interface StoredRule {
  readonly cron?: string;
  readonly timeZone?: string;
  readonly everyMs?: number;
  readonly missed: 'skip' | 'latest' | 'all';
}

export interface TickRule {
  /** The first tick after an instant, both Unix ms; undefined when there will be none for years. */
  after(instant: number): number | undefined;
}

/** Throws InvalidOptionError, naming `schedule.cron` or `schedule.timeZone`. */
export function tickRule({ cron, timeZone = 'UTC', everyMs }: StoredRule): TickRule {
  if (everyMs !== undefined)
    // Counted from the beginning of 1970, so that every process, and every revision, means the same instants.
    return { after: (instant) => (Math.floor(instant / everyMs) + 1) * everyMs };
  return new CronRule(new CronPattern(cron, 'schedule.cron'), new TimeZone(timeZone, 'schedule.timeZone'));
}

/** Longer than clocks were ever put back by. */
const LONGEST_OVERLAP_MS = 4 * 3_600_000;

/**
 * A pattern that names hours means each of its wall-clock times once: the first of the two when clocks are put back, the
 * instant of the change when they are put forward over it. One with a free hour follows elapsed time: it ticks in both of
 * the repeated hours, and has no ticks where there is no hour.
 */
class CronRule implements TickRule {
  constructor(
    private readonly pattern: CronPattern,
    private readonly zone: TimeZone,
  ) {}

  after(instant: number): number | undefined {
    return this.pattern.isHourly ? this.nextByElapsedTime(instant) : this.nextByWallClock(instant);
  }

  private nextByWallClock(instant: number): number | undefined {
    let wall = this.pattern.nextWall(instant + this.zone.offsetAt(instant) + 1);
    while (wall !== undefined) {
      const tick = this.zone.firstInstant(wall);
      if (tick > instant) return tick;
      wall = this.pattern.nextWall(wall + 1);
    }
    return undefined;
  }

  private nextByElapsedTime(instant: number): number | undefined {
    const offset = this.zone.offsetAt(instant);
    const change = this.zone.changeBetween(instant, instant + LONGEST_OVERLAP_MS);
    const wall = this.pattern.nextWall(instant + offset + 1);
    if (wall === undefined) return undefined;
    // Near by, and not the first of two: it may be the second one's turn.
    if (wall - offset < (change ?? instant + LONGEST_OVERLAP_MS)) return wall - offset;
    if (change === undefined) return this.shown(wall);
    const afterChange = this.pattern.nextWall(change + this.zone.offsetAt(change));
    return afterChange === undefined ? undefined : this.shown(afterChange, change);
  }

  /** The instant of a wall-clock time, the one not before `from`; of one that does not exist, the next one's that does. */
  private shown(wall: number, from = -Infinity): number | undefined {
    for (let next: number | undefined = wall; next !== undefined; next = this.pattern.nextWall(next + 1)) {
      const first = this.zone.firstInstant(next);
      const tick = first >= from ? first : next - this.zone.offsetAt(from);
      if (tick + this.zone.offsetAt(tick) === next) return tick;
    }
    return undefined;
  }
}
