// What a background loop tells of itself.

/** Progress of a background loop, for health: a loop that is silent for long is broken. */
export interface LoopHealth {
  readonly loop: string;
  /** Undefined before the first pass that succeeded. */
  readonly lastSuccessAgoMs: number | undefined;
  /** How long the pass under way has been running; undefined between two passes. One that hangs shows no error. */
  readonly runningForMs: number | undefined;
  /** Since the first of the passes that failed in a row; undefined when the latest succeeded, or none has ended. */
  readonly failingForMs?: number;
  /** Error of the latest pass; undefined when it succeeded. */
  readonly lastError: unknown;
}
