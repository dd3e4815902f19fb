// The port of what the processes of a group must know of each other: who lives, which tags are whose, what an operator
// has ordered, and the shares of limits that hold for all of them together.
import type { Subscription } from '../consumer/subscription.js';
import type { CheckedRate } from './group-limits.js';
import type { BookedStarts, HeldSlots } from './group-shares.js';
import type { GroupState } from './group-state.js';
import type { IdleAnswer } from './idle-group.js';

export interface GroupControl {
  /**
   * A sign of life of this consumer, about once a second, and the state of its group. Renews its registration of tags
   * (`GroupSpec.tags`) in every shard, and makes it anew should the store have lost it.
   */
  beat(subscription: Subscription): Promise<GroupState>;

  /** The consumer ends: not listed any more, its slots are free. Its tags stay registered: it may only restart. */
  leave(subscription: Subscription): Promise<void>;

  /**
   * Books up to `wanted` starts of the group's rate limit. `code` counts while nothing is stored (see
   * `BrokerAdmin.setLimits`). What is booked and not used is lost: a little less than the limit, never more.
   */
  bookStarts(subscription: Subscription, code: CheckedRate | undefined, wanted: number): Promise<BookedStarts>;

  /**
   * Says how many handlers run here and how many should, and answers how many may, so that all members together stay
   * within the limit. Held under a lease of the group's length: it must be renewed, and a member that is gone loses
   * its slots with it.
   */
  holdSlots(
    subscription: Subscription,
    code: number | undefined,
    need: { running: number; wanted: number },
  ): Promise<HeldSlots>;

  /**
   * Groups of the topic that had no live member for `idleAfterMs` and of which this was not said before: each is
   * answered once, to one caller. With `expireAfterMs`, groups that were idle for that long are destroyed with all
   * they have, dead letters too, and named in `expired`.
   */
  checkIdle(topic: string, rule: { idleAfterMs: number; expireAfterMs?: number }): Promise<IdleAnswer>;
}
