// What survives the process that runs an operation: where it is, and what it was about to do.
import type { OperationCounts } from './operation.js';

export interface SavedProgress extends OperationCounts {
  /** Where the page under way begins in the list of dead letters. */
  readonly cursor?: string;
  /** Names of the batch that was about to be done when this was saved: after a kill nobody knows how much of it was. */
  readonly intent?: readonly string[];
  /** Export to a file: so many bytes of it are sure; what lies behind them is written again. */
  readonly written?: number;
  readonly ranMs: number;
}

export const NOTHING_DONE: SavedProgress = { done: 0, quarantined: 0, gone: 0, ranMs: 0 };
