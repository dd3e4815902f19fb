// One field of a cron pattern: which numbers it stands for.

/** What a field may say. */
export interface FieldRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of numbers from `min` on, in capitals. */
  readonly names?: readonly string[];
}

export interface CronField {
  /** Sorted, each once. */
  readonly values: readonly number[];
  /** Begins with `*`: says nothing of its own about when. */
  readonly isWild: boolean;
}

export const SECOND: FieldRange = { name: 'second', min: 0, max: 59 };
export const MINUTE: FieldRange = { name: 'minute', min: 0, max: 59 };
export const HOUR: FieldRange = { name: 'hour', min: 0, max: 23 };
export const DAY: FieldRange = { name: 'day of the month', min: 1, max: 31 };
export const MONTH: FieldRange = {
  name: 'month',
  min: 1,
  max: 12,
  names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
};
/** 7 is Sunday too. */
export const WEEKDAY: FieldRange = {
  name: 'day of the week',
  min: 0,
  max: 7,
  names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
};

/** `*`, `5`, `1-5`, `1,3,5`, `0/15`, `10-50/20`, names. Throws what `bad` makes of a problem. */
export function cronField(text: string, range: FieldRange, bad: (problem: string) => Error): CronField {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\*|[^/*]+?)(?:\/(\d+))?$/.exec(part);
    const step = Number(match?.[2] ?? 1);
    if (!match || step < 1 || step > range.max) throw bad(`cannot read '${part}' of the ${range.name}`);
    const [first, last] = boundsOf(match[1]!, match[2] !== undefined, range, bad);
    for (let value = first; value <= last; value += step) values.add(range === WEEKDAY ? value % 7 : value);
  }
  return { values: [...values].toSorted((a, b) => a - b), isWild: text.startsWith('*') };
}

function boundsOf(
  text: string,
  hasStep: boolean,
  range: FieldRange,
  bad: (problem: string) => Error,
): [number, number] {
  if (text === '*') return [range.min, range === WEEKDAY ? 6 : range.max];
  const [from, to, ...more] = text.split('-');
  const first = numberOf(from!, range);
  // As in every cron: `5/15` goes on to the end of the range.
  const last = to === undefined ? (hasStep ? range.max : first) : numberOf(to, range);
  if (more.length > 0 || first === undefined || last === undefined)
    throw bad(`cannot read '${text}' of the ${range.name}, ${range.min} to ${range.max}`);
  if (first > last) throw bad(`the ${range.name} goes backwards: '${text}'`);
  return [first, last];
}

function numberOf(text: string, { min, max, names = [] }: FieldRange): number | undefined {
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return min + named;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : undefined;
}
