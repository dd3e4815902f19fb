// One measured statement, its limit and whether it holds. All limits are upper ones.

export interface Claim {
  readonly what: string;
  readonly measured: number;
  /** The greatest value that holds. */
  readonly limit: number;
  readonly unit: string;
  /** What else was seen on the way, for whoever judges the figure. */
  readonly beside?: Readonly<Record<string, number | string>>;
}

/** What a part found, under its name. A part that could not be carried out is a claim that does not hold. */
export interface Finding extends Claim {
  readonly part: string;
}

/** NaN holds nothing: what was not measured is not proven. */
export function holds({ measured, limit }: Claim): boolean {
  return measured <= limit;
}

export function unfinished(part: string, error: unknown): Finding {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { part, what: `came to no end: ${text}`, measured: 1, limit: 0, unit: '' };
}

export function line(finding: Finding): string {
  const { part, what, measured, limit, unit, beside = {} } = finding;
  const figures = `${format(measured)}${unit && ` ${unit}`}, limit ${format(limit)}`;
  const rest = Object.entries(beside).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? format(value) : value}`,
  );
  const more = rest.length > 0 ? `   (${rest.join(', ')})` : '';
  return `${holds(finding) ? 'held  ' : 'BROKEN'} ${part}: ${what}: ${figures}${more}`;
}

/** Digits that say something: none behind the point from 100 on. */
export function format(value: number): string {
  return Math.abs(value) >= 100 || Number.isInteger(value)
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(3)));
}
