// The operator's port: look and repair. Separate from `Broker`, so that the hot path stays small.
import type { GroupAdmin } from './control/group-admin.js';
import type { Pause } from './control/pause.js';
import type { DeadLetterAdmin } from './dead-letter/dead-letter-admin.js';
import type { HalfAdmin } from './half/half-admin.js';
import type { ScheduledAdmin } from './delay/scheduled-admin.js';
import type { ParkedKeyAdmin } from './ordering/parked-key.js';
import type { ReplayOptions, ReplayReport } from './replay/replay-options.js';
import type { TopicSettings } from './topic.js';

/** Messages of one group by state; the sum over states is what the group still has to do. */
export interface GroupStats {
  readonly group: string;
  readonly mode: string;
  /** In the queues, not yet delivered to the group. */
  readonly ready: number;
  /** Leased and not settled. */
  readonly leased: number;
  /** Waiting for their next attempt. */
  readonly retrying: number;
  /** Ordered mode: behind a failing message of their key, or waiting for an operator. */
  readonly parked: number;
  readonly dead: number;
  /** Dead letters that were removed for good: by hand, by age or by number. */
  readonly purged: number;
  /** Counters since the group was created. */
  readonly done: number;
  readonly skipped: number;
  /** Finished messages that a replay put back: the other counts see them a second time. */
  readonly replayed: number;
  /** Unfinished messages that a replay skipped. */
  readonly passed: number;
  /** Dropped because the topic was full (`onFull: 'drop-oldest'`). */
  readonly dropped: number;
  /** Dropped because their time to live was over (`onExpired: 'drop'`). */
  readonly expired: number;
  /** Why it does not consume now, if so: its own pause, else the topic's. */
  readonly paused?: Pause;
}

export interface TopicStats {
  readonly topic: string;
  /** Waiting for their due time. */
  readonly scheduled: number;
  /** Messages accepted since the topic was created (duplicates not counted). */
  readonly accepted: number;
  readonly cancelled: number;
  /** Half messages that wait for a decision, parked ones included. */
  readonly half: number;
  /** Half messages that were asked about in vain and wait for an operator. */
  readonly parkedHalves: number;
  /** Half messages that were rolled back; they count as accepted. */
  readonly rolledBack: number;
  readonly groups: readonly GroupStats[];
}

export interface BrokerAdmin extends DeadLetterAdmin, GroupAdmin, HalfAdmin, ParkedKeyAdmin, ScheduledAdmin {
  topic(topic: string): Promise<TopicSettings | undefined>;
  stats(topic: string): Promise<TopicStats>;
  /**
   * Makes kept messages come to one group again, or passes over its backlog; other groups do not notice. Back: what the
   * group has finished is put back and what is leased is taken from its holders (`lease-lost`), in order per key, with a
   * higher fence; nothing is skipped. Forward: what lies before the new position counts as passed. Done in steps: what
   * it could not say at its deadline (`MQ_UNAVAILABLE`) may be asked again, and puts back once more only what was finished
   * in between. Throws InvalidOptionError or TopicError.
   */
  replay(topic: string, group: string, options: ReplayOptions): Promise<ReplayReport>;
}
