// What an operation is, and what is known of it while it runs and afterwards.
import type { DeadLetterFilter } from '@millrace/core';

export type OperationKind = 'redrive' | 'purge' | 'export';

/**
 *   waiting --> running --> done
 *      ^           |  \---> failed (after ten minutes of errors) --resume--> waiting
 *      |           v
 *      +--resume-- stopped <-- stopping
 */
export type OperationState = 'waiting' | 'running' | 'stopping' | 'stopped' | 'done' | 'failed';

/** At most `max` letters in `per` ms. */
export interface Rate {
  readonly max: number;
  readonly perMs: number;
}

/** What was asked for. Fixed when the operation is made, so that it means the same after a resume. */
export interface OperationSpec {
  readonly kind: OperationKind;
  readonly topic: string;
  readonly group: string;
  readonly filter: DeadLetterFilter;
  /** Letters that died later (broker's clock, Unix ms) are none of its business: it cannot run after its own tail. */
  readonly diedUntil: number;
  readonly dryRun: boolean;
  readonly rate?: Rate;
  /** Redrive: also what was redriven three times already. */
  readonly force: boolean;
  /** Export: name of a sink, or a file. */
  readonly to?: string | { readonly file: string };
}

export interface OperationCounts {
  /** Letters that were meant when the operation began; undefined until they are counted. */
  readonly total?: number;
  /** Redriven, purged or exported by this operation. */
  readonly done: number;
  /** Redrive: left dead because they were redriven three times already; `force` takes them too. */
  readonly quarantined: number;
  /** Meant, but gone before their turn: somebody else redrove or purged them. */
  readonly gone: number;
}

export interface OperationProgress extends OperationCounts {
  readonly state: OperationState;
}

/** One row of the history. */
export interface OperationRecord extends OperationProgress {
  readonly id: string;
  readonly kind: OperationKind;
  readonly topic: string;
  readonly group: string;
  readonly filter: DeadLetterFilter;
  readonly dryRun: boolean;
  readonly createdAt: Date;
  readonly endedAt?: Date;
  /** How long it ran, pauses between stop and resume left out. */
  readonly ranMs: number;
  /** Why it failed. */
  readonly error?: string;
}
