// The part of the operator's port that is about dead letters. Every call is bounded on the server, however many there are.
import type { DeadLetter, DeadLetterSummary } from './dead-letter.js';
import type { DeadLetterChange } from './edit-dead-letter.js';
import type { DeadLetterFilter } from './dead-letter-filter.js';

export interface DeadLetterQuery {
  /** @default every dead letter */
  filter?: DeadLetterFilter;
  /** By time of death. @default 'newest' */
  order?: 'newest' | 'oldest';
  /** Where the page before ended; the same filter and order belong with it. */
  cursor?: string;
  /** At most so many letters, 1 to 1000. @default 50 */
  limit?: number;
}

export interface DeadLetterPage {
  readonly letters: readonly DeadLetterSummary[];
  /**
   * Where the next page begins; undefined at the end. One call looks at 1,000 letters at most, so a page of a narrow
   * filter may be short, or empty, and still have a cursor.
   */
  readonly cursor?: string;
}

export interface DeadLetterCount {
  readonly total: number;
  readonly byReason: Readonly<Record<string, number>>;
  /** By class of the latest failure's error; '' when nothing had failed. */
  readonly byError: Readonly<Record<string, number>>;
}

export interface RedriveOptions {
  /** Also letters that were redriven three times already. @default false */
  force?: boolean;
  /** Leaves letters alone that died after this instant (broker's clock). @default none */
  diedUntil?: Date;
}

export interface DeadLetterAdmin {
  /** The broker's clock, Unix ms: what `deadAt` goes by. */
  now(): Promise<number>;

  /** Newest first, with bodies: for a look at a few. Prefer `listDeadLetters` for paging. */
  deadLetters(topic: string, group: string, page: { offset: number; limit: number }): Promise<DeadLetter[]>;

  /**
   * One page in order of death. While letters come and go, each that stays is shown exactly once over all pages; those that
   * die meanwhile may be. Throws InvalidOptionError for a bad filter or cursor.
   */
  listDeadLetters(topic: string, group: string, query?: DeadLetterQuery): Promise<DeadLetterPage>;

  /** How many there are, in steps of 1,000: with a million of them this takes a while, but holds up nobody. */
  countDeadLetters(topic: string, group: string, filter?: DeadLetterFilter): Promise<DeadLetterCount>;

  /** One of them with its body; undefined when it is no dead letter of the group. */
  deadLetter(topic: string, group: string, name: string): Promise<DeadLetter | undefined>;

  /**
   * Changes body, headers or tag before a redrive. Message id, keys, ordering key, idempotency key and history stay; the
   * state gets a note of who changed what and when. The record of an idempotency key keeps the digest of what was sent: the
   * producer's second send of the original is still a duplicate, whatever was edited here. Resolves with the letter as it
   * is now, undefined when it is gone. Throws InvalidOptionError before anything is changed.
   */
  editDeadLetter(topic: string, group: string, name: string, change: DeadLetterChange): Promise<DeadLetter | undefined>;

  /**
   * Returns dead letters to their group only: attempt starts at 1, generation + 1, history kept. All of the given
   * names, or the oldest `max` of those that are dead by now. After 3 redrives a dead letter is quarantined and stays unless `force`.
   * Returns the names that were redriven. However often it is asked, and from wherever, one death is redriven once.
   */
  redrive(
    topic: string,
    group: string,
    which: ({ messageIds: readonly string[] } | { max: number }) & RedriveOptions,
  ): Promise<string[]>;

  /** Removes dead letters for good; returns how many were there. */
  purgeDeadLetters(
    topic: string,
    group: string,
    messageIds: readonly string[],
    options?: Pick<RedriveOptions, 'diedUntil'>,
  ): Promise<number>;
}
