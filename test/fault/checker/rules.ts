// What a scenario promises beyond "nothing lost, nothing unexpected", and what it is excused from.

export interface GroupRules {
  readonly name: string;
  /** Keys are handled one at a time and in order. */
  readonly ordered: boolean;
  /** Effects are rows in the database, written through the inbox: exactly one for each message. */
  readonly inbox?: boolean;
  /** As `noDuplicates` below, for this group. */
  readonly noDuplicates?: boolean;
  /** The group was stopped before the end, or started late: what it has not handled is not lost. */
  readonly partial?: boolean;
  readonly maxAttempts?: number;
  /** A retry is not earlier than this after the failure, in ms. */
  readonly backoffMs?: number;
}

export interface Rules {
  /** By number, from 0. */
  readonly groups: readonly GroupRules[];
  /** No second handling either: for faults after which the framework must not repeat anything. @default false */
  readonly noDuplicates?: boolean;
  /** The server may have gone back in time: what was handled may be handled again, in order. @default false */
  readonly mayRewind?: boolean;
  /**
   * Owners were frozen inside a handler: two handlers of a key may overlap, as with every lease. Order is then judged by
   * the effects. @default false
   */
  readonly mayOverlap?: boolean;
  /** Written to the queues by others than producers of the run. @default 0 */
  readonly foreignMessages?: number;
}
