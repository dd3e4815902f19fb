// How far the shop is, for the progress line and for knowing when everything has come to rest.
import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { UNSENT } from './evidence.js';
import { readRedisState } from './redis-state.js';

const LOOK_EVERY_MS = 150;

export interface Snapshot {
  decided: number;
  pending: number;
  paid: number;
  cancelled: number;
  shipped: number;
  notified: number;
  outbox: number;
  scheduled: number;
  ready: number;
  leased: number;
  retrying: number;
  dead: number;
}

const FIGURES = `
select (select count(*)::int from tickets) as decided,
  count(*) filter (where status = 'pending')::int as pending,
  count(*) filter (where status = 'paid')::int as paid,
  count(*) filter (where status = 'cancelled')::int as cancelled,
  (select count(*)::int from shipments) as shipped,
  (select count(*)::int from notifications) as notified,
  ${UNSENT} as outbox
from orders`;

export async function takeSnapshot(sql: Pool, redis: Redis, namespace: string): Promise<Snapshot> {
  const [figures, { groups, scheduled }] = await Promise.all([
    sql.query<Snapshot>(FIGURES),
    readRedisState(redis, namespace),
  ]);
  const sum = (of: 'ready' | 'leased' | 'retrying' | 'dead'): number =>
    groups.reduce((total, group) => total + group[of], 0);
  return {
    ...figures.rows[0]!,
    scheduled,
    ready: sum('ready'),
    leased: sum('leased'),
    retrying: sum('retrying'),
    dead: sum('dead'),
  };
}

/** Nothing more will happen by itself. */
export function atRest({ pending, outbox, scheduled, ready, leased, retrying }: Snapshot): boolean {
  return pending + outbox + scheduled + ready + leased + retrying === 0;
}

export interface WatchOptions {
  look: () => Promise<Snapshot>;
  until: (snapshot: Snapshot) => boolean;
  /** Gives up when nothing has changed for this long. */
  stallMs: number;
  signal: AbortSignal;
}

/** Looks until the condition holds (true) or nothing moves any more (false). Rejects when the signal aborts. */
export async function watch({ look, until, stallMs, signal }: WatchOptions): Promise<boolean> {
  let before = '';
  let changedAt = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const snapshot = await look();
    if (until(snapshot)) return true;
    const now = JSON.stringify(snapshot);
    if (now !== before) changedAt = performance.now();
    else if (performance.now() - changedAt > stallMs) return false;
    before = now;
    await wait(LOOK_EVERY_MS, undefined, { signal });
  }
}
