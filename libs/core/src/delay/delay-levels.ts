// RocketMQ's delay levels: a positional table, level 1 first.
import { toMs, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';

/** The default of RocketMQ's `messageDelayLevel`: 18 levels. */
export const ROCKETMQ_DELAY_LEVELS: readonly Duration[] =
  '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h'.split(' ');

/** The delays of a table in ms, level 1 first. */
export type DelayLevels = readonly number[];

export const DEFAULT_DELAY_LEVELS: DelayLevels = delayLevels(ROCKETMQ_DELAY_LEVELS);

/** Checks a table of delay levels. Throws InvalidOptionError. */
export function delayLevels(table: readonly Duration[], option = 'delayLevels'): DelayLevels {
  if (!Array.isArray(table) || table.length === 0)
    throw new InvalidOptionError(option, table, 'must be a list with at least one duration');
  return table.map((duration, index) => toMs(`${option}[${index}]`, duration));
}

/** Delay of a level in ms: 0 or less means none, above the table means its highest (both as in RocketMQ). */
export function delayOfLevel(level: number, levels: DelayLevels = DEFAULT_DELAY_LEVELS): number {
  if (level <= 0) return 0;
  return levels[Math.min(level, levels.length) - 1]!;
}
