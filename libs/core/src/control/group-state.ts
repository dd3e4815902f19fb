// A group as all its processes see it.
import type { StoredLimits } from './stored-limits.js';
import type { Pause } from './pause.js';

/** Registrations of tags live this long after the last sign of life of whoever made them. */
export const TAGS_LIVE_MS = 3_600_000;
/** A member that is silent for this long is not listed any more. */
export const MEMBER_LIVES_MS = 10_000;

export interface GroupMember {
  readonly name: string;
  /** Tags its listeners take; `['*']` = all; empty when it did not say. */
  readonly tags: readonly string[];
}

/** A group as all its processes see it. */
export interface GroupState {
  /** Who gave a sign of life within the last 10 s, by name. */
  readonly members: readonly GroupMember[];
  /** Every tag that a member registered within the last hour, living or not; `*` = all. Sorted. */
  readonly tags: readonly string[];
  /** In force now: of the topic, of the group. */
  readonly pauses: readonly PauseInForce[];
  readonly limits: StoredLimits;
}

export interface PauseInForce extends Pause {
  /** Time until it ends by itself, on the broker's clock; undefined = when somebody resumes. */
  readonly leftMs?: number;
}
