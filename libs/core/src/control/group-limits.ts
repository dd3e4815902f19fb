// Limits of a whole group, over all its processes: how many handlers start in a time, and how many run at once.
import { toMs, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import { checkInteger, checkOptions } from '../option-check.js';

/** At most `max` handler starts per `per`, evenly spread. */
export interface RateLimit {
  max: number;
  per: Duration;
}

/** `RateLimit`, checked. */
export interface CheckedRate {
  readonly max: number;
  readonly perMs: number;
}

const MAX_PER_MS = 86_400_000;

/** Throws InvalidOptionError. */
export function checkRate(option: string, rate: unknown): CheckedRate {
  checkOptions(option, rate, ['max', 'per']);
  const { max, per } = rate as RateLimit;
  const perMs = toMs(`${option}.per`, per);
  if (perMs < 1 || perMs > MAX_PER_MS) throw new InvalidOptionError(`${option}.per`, per, "must be from '1ms' to '1d'");
  return { max: checkInteger(`${option}.max`, max, 1, 1_000_000), perMs };
}

/** Throws InvalidOptionError. */
export function checkGroupConcurrency(option: string, limit: unknown): number {
  return checkInteger(option, limit, 1, 100_000);
}
