// Shared checks of options: unknown names are refused with a suggestion, numbers with their range.
import { InvalidOptionError } from './errors.js';

/** Refuses option names that are not in `known`, with a "did you mean". Throws InvalidOptionError. */
export function checkOptions(path: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new InvalidOptionError(path, options, 'must be an object of options');
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new InvalidOptionError(
      `${path}.${name}`,
      (options as Record<string, unknown>)[name],
      `unknown option${near === undefined ? '' : `; did you mean '${near}'?`}`,
    );
  }
}

/** A whole number within [min, max], or InvalidOptionError. */
export function checkInteger(option: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new InvalidOptionError(option, value, `must be a whole number from ${min} to ${max}`);
}

/** A valid Date or undefined, or InvalidOptionError. */
export function checkDate(option: string, date: unknown): void {
  if (date !== undefined && !(date instanceof Date && !Number.isNaN(date.getTime())))
    throw new InvalidOptionError(option, date, 'must be a valid Date');
}

function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance; the inputs are option names, so quadratic is fine. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
