// What the clocks of a place show, by the tables that Node brings along.
import { InvalidOptionError } from '../errors.js';

const DAY_MS = 86_400_000;

export class TimeZone {
  private readonly format: Intl.DateTimeFormat;
  private readonly isUtc: boolean;

  /** @param name IANA name. Throws InvalidOptionError naming `option`. */
  constructor(name: unknown, option: string) {
    this.isUtc = name === 'UTC';
    try {
      if (typeof name !== 'string') throw new RangeError();
      const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric' } as const;
      const rest = { minute: 'numeric', second: 'numeric', era: 'short', hourCycle: 'h23' } as const;
      this.format = new Intl.DateTimeFormat('en-US', { timeZone: name, ...parts, ...rest });
    } catch {
      throw new InvalidOptionError(option, name, "must be an IANA time zone, such as 'Europe/Berlin'");
    }
  }

  /** How far its clocks are ahead of UTC at an instant, in ms. */
  offsetAt(instant: number): number {
    if (this.isUtc) return 0;
    const shown: Record<string, number> = {};
    for (const { type, value } of this.format.formatToParts(instant)) shown[type] = Number(value);
    const { year, month, day, hour, minute, second } = shown;
    return Date.UTC(year!, month! - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
  }

  /**
   * The first instant at which the clocks show this wall-clock time. One that is left out when they are put forward means
   * the instant of that change.
   */
  firstInstant(wall: number): number {
    const [before, after] = [this.offsetAt(wall - DAY_MS), this.offsetAt(wall + DAY_MS)];
    if (before === after) return wall - before;
    const shown = [wall - Math.max(before, after), wall - Math.min(before, after)];
    const found = shown.find((instant) => instant + this.offsetAt(instant) === wall);
    return found ?? this.changeBetween(shown[0]! - 1000, shown[1]!)!;
  }

  /** The first second at which the clocks show another offset than at `from`; undefined when they still do not at `to`. */
  changeBetween(from: number, to: number): number | undefined {
    const offset = this.offsetAt(from);
    if (this.offsetAt(to) === offset) return undefined;
    let [low, high] = [Math.floor(from / 1000), Math.ceil(to / 1000)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetAt(middle * 1000) === offset) low = middle;
      else high = middle;
    }
    return high * 1000;
  }
}
