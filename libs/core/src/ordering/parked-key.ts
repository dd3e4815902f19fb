// What an operator sees of parked keys, and may do about them.
import type { DeadLetterReason, FailureRecord } from '../consumer/delivery.js';

/** Ordered mode: an ordering key that waits, because its first message failed or was too slow for those behind it. */
export interface ParkedKey {
  readonly topic: string;
  readonly group: string;
  readonly orderingKey: string;
  /** Over all shards. */
  readonly queue: number;
  /** `waiting` for its next attempt; `running`: an owner has it; `exhausted`: until `resumeKey` or `skipKey`. */
  readonly state: 'waiting' | 'running' | 'exhausted';
  readonly since: Date;
  /** Time to its next attempt, in ms; undefined unless it waits for one. */
  readonly dueInMs?: number;
  /** How many of its messages are parked, the first one included. */
  readonly messages: number;
  /** Of its first message, like the rest. */
  readonly messageId: string;
  readonly attempt: number;
  /** Why retries ended, once they have. */
  readonly reason?: DeadLetterReason;
  readonly text?: string;
  readonly lastFailure?: FailureRecord;
}

/** `running`: an owner has it at this moment, nothing was changed. */
export type ResumeKeyResult = 'resumed' | 'running' | 'not-parked';

export interface SkipKeyResult {
  readonly result: 'skipped' | 'running' | 'not-parked';
  /** Of the message that became a dead letter. */
  readonly messageId?: string;
}

/** The part of `BrokerAdmin` about parked keys. Of a group that is not ordered there are none. */
export interface ParkedKeyAdmin {
  /** Those that wait for an operator first, then those that wait for their time; the oldest first. */
  parkedKeys(topic: string, group: string, page: { offset: number; limit: number }): Promise<ParkedKey[]>;
  /** Lets a parked key go on at once: its first message begins with attempt 1 again, its failure story stays. */
  resumeKey(topic: string, group: string, orderingKey: string): Promise<ResumeKeyResult>;
  /** The first message of a parked key becomes a dead letter with its story; those behind it go on. */
  skipKey(topic: string, group: string, orderingKey: string): Promise<SkipKeyResult>;
}
