// Groups that nobody consumes for any more.

export interface IdleGroup {
  readonly group: string;
  readonly idleMs: number;
}

export interface IdleAnswer {
  readonly idle: readonly IdleGroup[];
  readonly expired: readonly string[];
  /** Recurring messages were stored for the topic. */
  readonly hasSchedules?: boolean;
}
