// The operator's port: look and repair. Separate from `Broker`, so that the hot path stays small.
import type { DeadLetterReason, RetryState } from './consumer/delivery.js';
import type { StoredMessage } from './message/message.js';
import type { TopicSettings } from './topic.js';

/** A message that a group could not handle, unchanged, with its failure story. */
export interface DeadLetter {
  readonly messageId: string;
  readonly topic: string;
  readonly group: string;
  readonly reason: DeadLetterReason;
  readonly text?: string;
  readonly deadAt: Date;
  readonly state: RetryState;
  readonly message: StoredMessage;
}

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
  readonly dead: number;
  /** Counters since the group was created. */
  readonly done: number;
  readonly skipped: number;
  /** Dropped because their time to live was over (`onExpired: 'drop'`). */
  readonly expired: number;
}

export interface TopicStats {
  readonly topic: string;
  /** Waiting for their due time. */
  readonly scheduled: number;
  /** Messages accepted since the topic was created (duplicates not counted). */
  readonly accepted: number;
  readonly cancelled: number;
  readonly groups: readonly GroupStats[];
}

export interface BrokerAdmin {
  topic(topic: string): Promise<TopicSettings | undefined>;
  stats(topic: string): Promise<TopicStats>;
  /** Newest first. */
  deadLetters(topic: string, group: string, page: { offset: number; limit: number }): Promise<DeadLetter[]>;
  /**
   * Returns dead letters to their group only: attempt starts at 1, generation + 1, history kept. All of the given
   * ids, or the oldest `max`. After 3 redrives a dead letter is quarantined and stays unless `force`.
   * Returns the ids that were redriven.
   */
  redrive(
    topic: string,
    group: string,
    which: { messageIds: readonly string[]; force?: boolean } | { max: number; force?: boolean },
  ): Promise<string[]>;
  /** Removes dead letters for good; returns how many were there. */
  purgeDeadLetters(topic: string, group: string, messageIds: readonly string[]): Promise<number>;
}
