// Limits of a whole group in memory: starts booked by the rate, slots held by members.
import type { BookedStarts, CheckedRate, HeldSlots, StoredLimits } from '@millrace/core';

/** How far ahead starts are booked; as on Redis. */
const HORIZON_MS = 200;

/** What a member holds of the group's concurrency. */
export interface Slots {
  held: number;
  wanted: number;
  /** Since when it has had some, or none. */
  since: number;
  until: number;
}

export class GroupShares {
  limits: StoredLimits = {};
  private nextFree = 0;
  private readonly slots = new Map<string, Slots>();

  book(code: CheckedRate | undefined, wanted: number, now: number): BookedStarts {
    const rate = this.limits.rateLimit ?? code;
    if (rate === undefined || rate === 'unlimited') return { count: wanted, firstInMs: 0, everyMs: 0, againInMs: 0 };
    const everyMs = rate.perMs / rate.max;
    const atOnce = Math.max(1, Math.floor(0.1 * rate.max));
    const horizon = Math.max(HORIZON_MS, everyMs);
    const first = Math.max(Math.min(this.nextFree, now + horizon + everyMs), now - (atOnce - 1) * everyMs);
    const free = first <= now + horizon ? Math.floor((now + horizon - first) / everyMs) + 1 : 0;
    const count = Math.min(wanted, free);
    this.nextFree = first + count * everyMs;
    const againInMs = Math.max(this.nextFree - now - horizon, 0) + Math.min(horizon, HORIZON_MS) / 2;
    return { count, firstInMs: Math.max(first - now, 0), everyMs, againInMs };
  }

  /** @param lease name and lease of the member, and the store's clock */
  hold(
    code: number | undefined,
    { running, wanted }: { running: number; wanted: number },
    { member, leaseMs, now }: { member: string; leaseMs: number; now: number },
  ): HeldSlots {
    const limit = this.limits.groupConcurrency ?? code;
    if (limit === undefined || limit === 'unlimited') return { held: wanted, share: wanted };
    for (const [name, { until }] of this.slots) if (name !== member && until <= now) this.slots.delete(name);
    const own = { ...(this.slots.get(member) ?? { held: 0, since: 0 }), wanted, until: now + leaseMs };
    this.slots.set(member, own);
    const share = shareOf(member, limit, this.slots);
    const others = [...this.slots].reduce((sum, [name, { held }]) => sum + (name === member ? 0 : held), 0);
    const held = Math.max(running, Math.min(share, limit - others), 0);
    if (held > 0 !== own.held > 0) own.since = now;
    own.held = held;
    if (held === 0 && wanted === 0) this.slots.delete(member);
    return { held, share };
  }

  leave(member: string): void {
    this.slots.delete(member);
  }
}

/** As hold-slots.lua: equal parts for those who want more than that; what cannot be divided goes round. */
function shareOf(member: string, limit: number, slots: ReadonlyMap<string, Slots>): number {
  const all = [...slots].map(([name, one]) => ({ name, ...one })).toSorted((a, b) => a.wanted - b.wanted);
  let left = limit;
  while (all[0] && all[0].wanted <= Math.floor(left / all.length)) {
    const { name, wanted } = all.shift()!;
    if (name === member) return wanted;
    left -= wanted;
  }
  const part = Math.floor(left / all.length);
  const inTurn = all.toSorted((a, b) => {
    if ((a.held === 0) !== (b.held === 0)) return a.held === 0 ? -1 : 1;
    if (a.since !== b.since) return (a.since - b.since) * (a.held === 0 ? 1 : -1);
    return a.name < b.name ? -1 : 1;
  });
  return part + (inTurn.findIndex(({ name }) => name === member) < left - part * all.length ? 1 : 0);
}
