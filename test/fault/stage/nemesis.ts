// Chooses the faults of a run before it begins, from the seed alone, says so, and then does as it has said.
import { setTimeout as wait } from 'node:timers/promises';
import type { Prng } from '../prng.js';

/** One fault as it was drawn. */
export interface PlannedFault {
  /** For the plan that is printed. */
  readonly what: string;
  /** Strikes, and heals what has to be healed before the next one. */
  readonly strike: () => Promise<void>;
}

/** A kind of fault: draws everything that is left to chance. */
export type FaultKind = (prng: Prng) => PlannedFault;

export interface Plan {
  readonly faults: readonly (PlannedFault & { readonly atMs: number })[];
}

export interface PlanOptions {
  readonly forMs: number;
  /** Pause between two faults. */
  readonly everyMs: readonly [least: number, most: number];
  readonly kinds: readonly FaultKind[];
  /** Each kind in its turn instead of by chance. @default false */
  readonly inTurn?: boolean;
  /** One at least, however short the run. */
  readonly least?: number;
}

export function makePlan(prng: Prng, { forMs, everyMs, kinds, inTurn = false, least = 1 }: PlanOptions): Plan {
  const faults: (PlannedFault & { atMs: number })[] = [];
  for (let atMs = prng.int(...everyMs); atMs < forMs || faults.length < least; atMs += prng.int(...everyMs)) {
    const kind = inTurn ? kinds[faults.length % kinds.length]! : prng.pick(kinds);
    faults.push({ ...kind(prng), atMs });
  }
  return { faults };
}

/** One line. */
export function describePlan({ faults }: Plan): string {
  return faults.map(({ atMs, what }) => `${(atMs / 1000).toFixed(1)} s ${what}`).join(' · ');
}

/** Faults never overlap: one that takes longer than planned moves the next one. Returns how many struck. */
export async function carryOut({ faults }: Plan, signal: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  let struck = 0;
  for (const { atMs, strike } of faults) {
    const leftMs = startedAt + atMs - performance.now();
    if (leftMs > 0) await wait(leftMs, undefined, { signal });
    await strike();
    struck++;
  }
  return struck;
}
