// From the figures of several rounds to one comparison, judged by the design bar.
import type { Part } from './scenario.js';

export interface Comparison {
  readonly scenario: string;
  readonly peer: string;
  /** Null where there is no figure: skipped, or failed. */
  readonly ours: number | null;
  readonly theirs: number | null;
  /** Ours / theirs. */
  readonly ratio: number | null;
  readonly unit: string;
  readonly runs: number;
  /** The design bar for this ratio; undefined when there is none. */
  readonly bar?: number;
  /** Undefined when there is no bar, or nothing to judge. */
  readonly met?: boolean;
  /** What the peer's figure depends on. */
  readonly settings?: string;
  /** Why the peer could not be had. */
  readonly skipped?: string;
  /** What went wrong in a run: something lost, or not finished in time. */
  readonly failed?: string;
}

/** The name of a row that holds our figure against an absolute bar. */
export const OWN_BAR = '(absolute bar)';

/** Judged before anything is rounded: 0.746 does not meet a bar of 0.75. */
export function compare(
  part: Part,
  runs: number,
  peer: string,
  ours: number,
  theirs: number,
  bar?: number,
): Comparison {
  const { id, unit, lowerIsBetter = false } = part;
  const exact = ours / theirs;
  const met = bar === undefined ? undefined : lowerIsBetter ? exact <= bar : exact >= bar;
  const figures = { ours: rounded(ours), theirs: rounded(theirs), ratio: rounded(exact) };
  return { scenario: id, peer, ...figures, unit, runs, bar, met };
}

/** A row for a peer without a figure. */
export function without(
  part: Part,
  peer: string,
  ours: number | null,
  why: Pick<Comparison, 'skipped' | 'failed'>,
): Comparison {
  const figures = { ours: ours === null ? null : rounded(ours), theirs: null, ratio: null };
  return { scenario: part.id, peer, ...figures, unit: part.unit, runs: 0, bar: part.bars[peer], ...why };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Rates need no decimals, milliseconds do. */
function rounded(value: number): number {
  return value >= 1000 ? Math.round(value) : Number(value.toFixed(2));
}
