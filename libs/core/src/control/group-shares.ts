// What one member gets of the limits of its group.

/** Handler starts booked ahead. */
export interface BookedStarts {
  /** So many starts were booked; 0 = none was free. */
  readonly count: number;
  /** When the first of them may happen, and how far the others are apart, in ms from the answer on. */
  readonly firstInMs: number;
  readonly everyMs: number;
  /** When asking for more makes sense, in ms. */
  readonly againInMs: number;
}

/** Handlers of this member that may run at once, by the limit of the whole group. */
export interface HeldSlots {
  /** Ours until `lease` of the group runs out; never less than what was said to run. */
  readonly held: number;
  /** Our fair share: when it is below `held`, others wait for us. */
  readonly share: number;
}
