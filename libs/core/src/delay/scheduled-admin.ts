// The part of the operator's port that is about messages that wait for their due time. Every call is bounded on the server,
// however many there are.
import type { MessageRef } from '../producer/receipt.js';
import type { DueHistogram, DueQuery } from './due-histogram.js';
import type { ScheduledFilter } from './scheduled-filter.js';
import type { ScheduledDetails, ScheduledMessage } from './scheduled-message.js';

export interface ScheduledQuery {
  /** @default every message that waits */
  filter?: ScheduledFilter;
  /** Where the page before ended; the same filter belongs with it. */
  cursor?: string;
  /** At most so many messages, 1 to 1000. @default 50 */
  limit?: number;
}

export interface ScheduledPage {
  /** In order of their due times. */
  readonly messages: readonly ScheduledMessage[];
  /**
   * Where the next page begins; undefined at the end. One call looks at about 1,000 messages at most, so a page of a narrow
   * filter may be short, or empty, and still have a cursor.
   */
  readonly cursor?: string;
}

export interface ScheduledAdmin {
  /**
   * One page of the messages that wait for their due time, delayed ones and ticks of schedules; not retries. A message that
   * stays where it is is shown exactly once over all pages; one that is rescheduled meanwhile may be shown twice or not at all.
   * Throws InvalidOptionError for a bad filter or cursor, TopicError.
   */
  listScheduled(topic: string, query?: ScheduledQuery): Promise<ScheduledPage>;

  /**
   * How many there are. By due range alone this is counted in one look; with tag, key or ordering key all of the range is
   * looked through in steps of about 1,000. Throws as `listScheduled`.
   */
  countScheduled(topic: string, filter?: ScheduledFilter): Promise<number>;

  /** The message that waits under this id or idempotency key, with its content; undefined when none does. */
  findScheduled(topic: string, ref: MessageRef): Promise<ScheduledDetails | undefined>;

  /** How many are due in each step of time; each bucket of the delay store is counted at one instant. Throws InvalidOptionError. */
  dueHistogram(topic: string, query: DueQuery): Promise<DueHistogram>;
}
