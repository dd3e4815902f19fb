// How long to wait before the next attempt.
import { DEFAULT_DELAY_LEVELS, delayOfLevel, type DelayLevels } from '../delay/delay-levels.js';
import { toMs, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import { checkOptions } from '../option-check.js';
import { isErrorClass, type ErrorClass } from './error-class.js';

/**
 * - `'ladder'`: RocketMQ's retry ladder, the delay levels from the third on: 10s 30s 1m … 10m 20m 30m 1h 2h, then 2h.
 * - `fixed`: the same wait each time.
 * - `exponential`: `delay × factor^(attempt - 1)`, at most `cap`; of it the share `jitter` is random.
 *   @default delay '5s', factor 2, cap '2h', jitter 0
 * - `byError`: the first class of the list that the error is an instance of decides.
 * - a function of the failed attempt (1 = first) and its error. If it throws or returns no duration, the ladder is
 *   used for that failure and a `loop-error` event tells of it.
 */
export type Backoff =
  | 'ladder'
  | { type: 'fixed'; delay: Duration }
  | { type: 'exponential'; delay?: Duration; factor?: number; cap?: Duration; jitter?: number }
  | { byError: readonly (readonly [ErrorClass, Backoff])[]; otherwise: Backoff }
  | ((attempt: number, error: unknown) => Duration);

/** Ms to wait after `attempt` (1 = first) failed with `error`. May throw when the user's own function does. */
export type BackoffFunction = (attempt: number, error: unknown) => number;

export const EXPONENTIAL_DEFAULTS = { delay: '5s', factor: 2, cap: '2h', jitter: 0 } as const;

/** The ladder begins two levels up: a retry after 1 s or 5 s would seldom find the cause gone. As in RocketMQ. */
const LEVELS_LEFT_OUT = 2;

/** Turns a `Backoff` into a function. Throws InvalidOptionError for a bad one. */
export function backoffOf(
  backoff: Backoff,
  levels: DelayLevels = DEFAULT_DELAY_LEVELS,
  option = 'listener.backoff',
): BackoffFunction {
  if (backoff === 'ladder') return (attempt) => delayOfLevel(LEVELS_LEFT_OUT + attempt, levels);
  if (typeof backoff === 'function') return (attempt, error) => toMs(option, backoff(attempt, error));
  if (typeof backoff !== 'object' || backoff === null)
    throw new InvalidOptionError(option, backoff, "must be 'ladder', an object with a type, or a function");
  if ('byError' in backoff) return byError(backoff, levels, option);
  if (backoff.type === 'fixed') {
    checkOptions(option, backoff, ['type', 'delay']);
    const delayMs = toMs(`${option}.delay`, backoff.delay);
    return () => delayMs;
  }
  if (backoff.type === 'exponential') return exponential(backoff, option);
  throw new InvalidOptionError(
    `${option}.type`,
    (backoff as { type: unknown }).type,
    "must be 'fixed' or 'exponential'",
  );
}

/** Never throws: what `backoff` cannot answer, the ladder does, and `onError` hears why. */
export function dependable(
  backoff: BackoffFunction,
  levels: DelayLevels,
  onError: (error: unknown) => void,
): BackoffFunction {
  const ladder = backoffOf('ladder', levels);
  return (attempt, error) => {
    try {
      return backoff(attempt, error);
    } catch (problem) {
      onError(problem);
      return ladder(attempt, error);
    }
  };
}

function exponential(backoff: Extract<Backoff, { type: 'exponential' }>, option: string): BackoffFunction {
  checkOptions(option, backoff, ['type', ...Object.keys(EXPONENTIAL_DEFAULTS)]);
  const delayMs = toMs(`${option}.delay`, backoff.delay ?? EXPONENTIAL_DEFAULTS.delay);
  const capMs = toMs(`${option}.cap`, backoff.cap ?? EXPONENTIAL_DEFAULTS.cap);
  const factor = checkNumber(`${option}.factor`, backoff.factor ?? EXPONENTIAL_DEFAULTS.factor, 1, 1000);
  const jitter = checkNumber(`${option}.jitter`, backoff.jitter ?? EXPONENTIAL_DEFAULTS.jitter, 0, 1);
  return (attempt) => {
    // Bounded before it is multiplied: 0 × Infinity is not a number.
    const fullMs = Math.min(capMs, delayMs * Math.min(factor ** (attempt - 1), Number.MAX_SAFE_INTEGER));
    return Math.round(fullMs * (1 - jitter * Math.random()));
  };
}

function byError(
  { byError: rules, otherwise, ...rest }: Extract<Backoff, { byError: unknown }>,
  levels: DelayLevels,
  option: string,
): BackoffFunction {
  checkOptions(option, rest, ['byError', 'otherwise']);
  if (!Array.isArray(rules) || rules.some((rule) => !Array.isArray(rule) || !isErrorClass(rule[0])))
    throw new InvalidOptionError(`${option}.byError`, rules, 'must be a list of [error class, back-off]');
  const known = rules.map(([type, backoff], index) => ({
    type,
    wait: backoffOf(backoff, levels, `${option}.byError[${index}]`),
  }));
  const fallback = backoffOf(otherwise, levels, `${option}.otherwise`);
  return (attempt, error) => (known.find(({ type }) => error instanceof type)?.wait ?? fallback)(attempt, error);
}

function checkNumber(option: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw new InvalidOptionError(option, value, `must be a number from ${min} to ${max}`);
}
