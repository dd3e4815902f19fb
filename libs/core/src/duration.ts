// Durations as users write them: a number is milliseconds, a string is '500ms', '30s', '15m', '2h' or '1d'
// (the units of RocketMQ's delay table, and ms).
import { InvalidOptionError } from './errors.js';

/** Milliseconds, or a number with one of the units ms, s, m, h, d. */
export type Duration = number | string;

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PATTERN = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;

/** Turns a duration into whole milliseconds. Throws InvalidOptionError naming `option`. */
export function toMs(option: string, duration: unknown): number {
  if (typeof duration === 'number' && Number.isFinite(duration) && duration >= 0) return Math.round(duration);
  const match = typeof duration === 'string' ? PATTERN.exec(duration.trim()) : null;
  if (match) return Math.round(Number(match[1]) * UNITS[match[2]!]!);
  throw new InvalidOptionError(
    option,
    duration,
    "a duration is a number of ms, or like '500ms', '30s', '15m', '2h', '1d'",
  );
}

/** A time to live: any duration of at least 1 ms. Throws InvalidOptionError. */
export function checkTtl(option: string, ttl: unknown): number {
  const ms = toMs(option, ttl);
  if (ms < 1) throw new InvalidOptionError(option, ttl, 'must be at least 1ms');
  return ms;
}
