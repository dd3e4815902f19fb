// How many messages are due when.
import { checkDate, checkInteger, checkOptions } from '../option-check.js';

export interface DueQuery {
  /** Where the first step begins. @default now, by the broker's clock */
  from?: Date;
  /** Width of a step, in whole ms, at least 1. */
  stepMs: number;
  /** 1 to 200. */
  steps: number;
}

/** What is due when. */
export interface DueHistogram {
  /** Due before the first step: overdue, if that begins now. */
  readonly before: number;
  readonly steps: readonly { readonly from: Date; readonly count: number }[];
  /** Due after the last step. */
  readonly after: number;
}

const MOST_STEPS = 200;
/** Beyond it no instant of a histogram is a Date. */
const LONGEST_STEP_MS = 366 * 86_400_000;

/** The instants between which is counted, Unix ms: one more than there are steps. Throws InvalidOptionError. */
export function dueInstants(query: DueQuery, now: number): number[] {
  checkOptions('histogram', query, ['from', 'stepMs', 'steps']);
  checkDate('histogram.from', query.from);
  const stepMs = checkInteger('histogram.stepMs', query.stepMs, 1, LONGEST_STEP_MS);
  const steps = checkInteger('histogram.steps', query.steps, 1, MOST_STEPS);
  const from = query.from?.getTime() ?? now;
  return Array.from({ length: steps + 1 }, (_, step) => from + step * stepMs);
}
