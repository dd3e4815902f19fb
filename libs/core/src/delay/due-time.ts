// When a message becomes ready: one of `delay`, `deliverAt` and `delayLevel` turned into what the broker stores.
import { toMs, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import { DEFAULT_DELAY_LEVELS, delayOfLevel, type DelayLevels } from './delay-levels.js';

export interface DueOptions {
  delay?: Duration;
  deliverAt?: Date;
  delayLevel?: number;
}

/** A delay counts from the broker's clock; an instant is one. */
export type Due = { readonly delayMs: number } | { readonly atMs: number };

export interface DueLimits {
  /** @default RocketMQ's 18 levels */
  readonly delayLevels?: DelayLevels;
  /** Farthest delay accepted, in ms. */
  readonly maxDelayMs: number;
  /** Present instant, Unix ms. */
  readonly now: number;
}

const NAMES = ['delay', 'deliverAt', 'delayLevel'] as const;

/**
 * Undefined means now: no option given, a delay of 0, a level of 0 or less, or an instant that has passed.
 * Throws InvalidOptionError for two options at once, a bad value, or a delay beyond `maxDelayMs`.
 */
export function dueOf(options: DueOptions, limits: DueLimits, path = 'send'): Due | undefined {
  const { delay, deliverAt, delayLevel } = options;
  const given = NAMES.filter((name) => options[name] !== undefined);
  if (given.length > 1)
    throw new InvalidOptionError(`${path}.${given[0]}`, options[given[0]!], `cannot be combined with '${given[1]}'`);
  if (deliverAt !== undefined) return dueAt(deliverAt, limits, `${path}.deliverAt`);
  if (delay !== undefined) return dueIn(toMs(`${path}.delay`, delay), delay, limits, `${path}.delay`);
  if (delayLevel === undefined) return undefined;
  if (!Number.isInteger(delayLevel))
    throw new InvalidOptionError(`${path}.delayLevel`, delayLevel, 'must be a whole number');
  const delayMs = delayOfLevel(delayLevel, limits.delayLevels ?? DEFAULT_DELAY_LEVELS);
  return dueIn(delayMs, delayLevel, limits, `${path}.delayLevel`);
}

function dueIn(delayMs: number, given: unknown, { maxDelayMs }: DueLimits, option: string): Due | undefined {
  if (delayMs > maxDelayMs) throw tooFar(option, given, maxDelayMs);
  return delayMs === 0 ? undefined : { delayMs };
}

function dueAt(deliverAt: unknown, { maxDelayMs, now }: DueLimits, option: string): Due | undefined {
  if (!(deliverAt instanceof Date) || Number.isNaN(deliverAt.getTime()))
    throw new InvalidOptionError(option, deliverAt, 'must be a valid Date');
  const atMs = deliverAt.getTime();
  if (atMs - now > maxDelayMs) throw tooFar(option, deliverAt, maxDelayMs);
  return atMs <= now ? undefined : { atMs };
}

function tooFar(option: string, given: unknown, maxDelayMs: number): InvalidOptionError {
  return new InvalidOptionError(option, given, `lies farther away than the topic's maxDelay of ${maxDelayMs} ms`);
}
