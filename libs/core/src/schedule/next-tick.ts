// Which tick of a schedule is sent next, and what becomes of those that nobody was there to send.
import type { StoredRule, TickRule } from './tick-rule.js';

/** A tick that is late by less than this was not missed: a slow moment, a deploy or a failover skips nothing. */
export const MISSED_AFTER_MS = 60_000;
/** So many missed ticks are made up for by `missed: 'all'`; older ones are given up. */
export const MOST_MADE_UP = 100;

export interface NextTick {
  readonly at: number;
  /** Ticks before it, after the last one, are given up. */
  readonly hasMissed: boolean;
}

/**
 * @param after the last tick that was planned, or when the schedule began
 * @param now the broker's clock
 */
export function nextTick(
  rule: TickRule,
  missed: StoredRule['missed'],
  after: number,
  now: number,
): NextTick | undefined {
  const first = rule.after(after);
  if (first === undefined) return undefined;
  if (first >= now - MISSED_AFTER_MS) return { at: first, hasMissed: false };
  const intime = rule.after(Math.max(after, now - MISSED_AFTER_MS - 1));
  const at = missed === 'skip' ? intime : madeUp(rule, missed, after, now, intime);
  return at === undefined ? undefined : { at, hasMissed: at > first };
}

function madeUp(
  rule: TickRule,
  missed: 'latest' | 'all',
  after: number,
  now: number,
  intime: number | undefined,
): number | undefined {
  if (missed === 'latest' && intime !== undefined && intime <= now) return intime;
  const last = lastTicks(rule, after, now, missed === 'latest' ? 1 : MOST_MADE_UP);
  return last[0] ?? intime;
}

/** The last `count` ticks in (after, until], oldest first. Looks back in steps that double, so that it never walks far. */
function lastTicks(rule: TickRule, after: number, until: number, count: number): number[] {
  for (let step = 1000; ; step *= 2) {
    const from = Math.max(after, until - step);
    const found: number[] = [];
    for (let tick = rule.after(from); tick !== undefined && tick <= until; tick = rule.after(tick)) {
      found.push(tick);
      if (found.length > count) found.shift();
    }
    if (found.length >= count || from === after) return found;
  }
}
