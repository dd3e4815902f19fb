// Which dead letters are meant: the options, their checks and the one function that decides, for every broker.
import type { DeadLetterReason } from '../consumer/delivery.js';
import { InvalidOptionError } from '../errors.js';
import { checkOptions } from '../option-check.js';
import type { DeadLetterSummary } from './dead-letter.js';

/** All that is given must hold; nothing given means every dead letter. */
export interface DeadLetterFilter {
  /** One of these. */
  reason?: DeadLetterReason | readonly DeadLetterReason[];
  /** Class name of the latest failure's error, one of these: 'TypeError'. */
  error?: string | readonly string[];
  /** Died at this instant or later. */
  diedFrom?: Date;
  /** Died before this instant. */
  diedBefore?: Date;
  /** '' means without a tag. */
  tag?: string;
  /** One of its business keys, or its idempotency key. */
  key?: string;
  orderingKey?: string;
  /** How often it was redriven. */
  generation?: number | { min?: number; max?: number };
}

const KNOWN = ['reason', 'error', 'diedFrom', 'diedBefore', 'tag', 'key', 'orderingKey', 'generation'];

const REASONS: Readonly<Record<DeadLetterReason, true>> = {
  'attempts-exhausted': true,
  'crashes-exhausted': true,
  'no-retry': true,
  rejected: true,
  invalid: true,
  undecodable: true,
  expired: true,
};

/** Throws InvalidOptionError: a filter that is misread would redrive or purge what nobody meant. */
export function checkDeadLetterFilter(filter: DeadLetterFilter): void {
  checkOptions('filter', filter, KNOWN);
  for (const reason of listOf(filter.reason) ?? [])
    if (!Object.hasOwn(REASONS, reason))
      throw new InvalidOptionError('filter.reason', reason, `must be one of ${Object.keys(REASONS).join(', ')}`);
  for (const error of listOf(filter.error) ?? []) checkText('filter.error', error);
  for (const name of ['tag', 'key', 'orderingKey'] as const)
    if (filter[name] !== undefined) checkText(`filter.${name}`, filter[name]);
  for (const name of ['diedFrom', 'diedBefore'] as const) {
    const date = filter[name] as unknown;
    if (date !== undefined && !(date instanceof Date && !Number.isNaN(date.getTime())))
      throw new InvalidOptionError(`filter.${name}`, date, 'must be a valid Date');
  }
  checkGeneration(filter.generation);
}

/** Whether the letter is meant. The filter was checked before. */
export function matchesFilter(letter: DeadLetterSummary, filter: DeadLetterFilter): boolean {
  const { reason, error, diedFrom, diedBefore, tag, key, orderingKey, generation } = filter;
  const { min, max } = typeof generation === 'number' ? { min: generation, max: generation } : (generation ?? {});
  return (
    (listOf(reason)?.includes(letter.reason) ?? true) &&
    (listOf(error)?.includes(errorOf(letter)) ?? true) &&
    (diedFrom === undefined || letter.deadAt >= diedFrom) &&
    (diedBefore === undefined || letter.deadAt < diedBefore) &&
    (tag === undefined || (letter.tag ?? '') === tag) &&
    (key === undefined || letter.keys.includes(key) || letter.idempotencyKey === key) &&
    (orderingKey === undefined || (letter.orderingKey ?? '') === orderingKey) &&
    (min === undefined || letter.state.generation >= min) &&
    (max === undefined || letter.state.generation <= max)
  );
}

/** Class of the latest failure's error, or '' when nothing had failed (crashes, undecodable, expired). */
export function errorOf({ state }: DeadLetterSummary): string {
  return state.failures.at(-1)?.error ?? '';
}

function checkText(option: string, value: unknown): void {
  if (typeof value !== 'string') throw new InvalidOptionError(option, value, 'must be a string');
}

function checkGeneration(given: unknown): void {
  if (given === undefined) return;
  if (typeof given === 'object' && given !== null) {
    checkOptions('filter.generation', given, ['min', 'max']);
    const { min, max } = given as { min?: unknown; max?: unknown };
    if (isWholeOrNone(min) && isWholeOrNone(max)) return;
  } else if (given !== null && isWholeOrNone(given)) return;
  throw new InvalidOptionError('filter.generation', given, 'must be a whole number from 0, or { min, max } of such');
}

function isWholeOrNone(value: unknown): boolean {
  return value === undefined || (Number.isInteger(value) && (value as number) >= 0);
}

function listOf<T extends string>(value: T | readonly T[] | undefined): readonly T[] | undefined {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
