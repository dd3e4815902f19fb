// The port behind `mq.schedules`: records of recurring messages, and which tick of each is under way. The ticks
// themselves are ordinary messages, sent through `Broker`.
import type { StoredRule } from './tick-rule.js';

/** Who holds a schedule back, and since when. */
export interface SchedulePause {
  readonly by: string;
  readonly why: string;
  readonly since: number;
}

/** A tick of a schedule as it was, which must not be delivered any more. */
export interface DroppedTick {
  readonly revision: number;
  readonly at: number;
  readonly orderingKey: string;
  /** No cancel was answered yet; nothing new is planned before. */
  readonly open: boolean;
}

/** All instants are Unix ms of the broker's clock. */
export interface StoredSchedule {
  readonly name: string;
  /** Grows with every change of rule or content and every end of a pause, over all schedules of the topic. */
  readonly revision: number;
  readonly rule: StoredRule;
  readonly orderingKey: string;
  /** Ticks after this instant are still to be planned; while there is a `tick`, after that. */
  readonly from: number;
  /** The tick planned last; it may have fired. */
  readonly tick?: { readonly at: number; readonly sent: boolean };
  /** The tick before that. */
  readonly lastAt?: number;
  readonly pause?: SchedulePause;
  readonly drops: readonly DroppedTick[];
  /** Kept only until its drops are done. */
  readonly removed: boolean;
}

export interface SchedulesRead {
  /** The broker's clock, Unix ms. */
  readonly now: number;
  /** When the topic got its first schedule; another instant than before tells that its data was lost in between. */
  readonly since: number;
  /** In the order of their names; removed ones with drops too. */
  readonly schedules: readonly StoredSchedule[];
}

/** What names a tick among all revisions of a schedule. */
export interface TickName {
  readonly revision: number;
  readonly at: number;
}

export interface ScheduleStore {
  /** The schedules of a topic, or the one of this name; undefined when it never had any, or its data was lost. */
  read(topic: string, name?: string): Promise<SchedulesRead | undefined>;

  /** The stored content of a schedule, as `put` got it; undefined when there is no such schedule. */
  content(topic: string, name: string): Promise<string | undefined>;

  /**
   * Stores a schedule. One with equal rule and content is left as it is; another one gets a higher revision, begins now,
   * and drops a tick that waits. A pause stays. `full`: the topic has 1000 schedules. Throws TopicError.
   */
  put(
    topic: string,
    name: string,
    schedule: { rule: StoredRule; orderingKey: string; content: string },
  ): Promise<'created' | 'changed' | 'unchanged' | 'full'>;

  /** Holds the schedule back and drops the tick that waits; false when there is no such schedule. Throws TopicError. */
  pause(topic: string, name: string, pause: { by: string; why: string }): Promise<boolean>;

  /** Ends the pause; ticks go on from now, under a higher revision. False when it was not paused. Throws TopicError. */
  resume(topic: string, name: string): Promise<boolean>;

  /** Drops the tick that waits, and the schedule. False when there is no such schedule. Throws TopicError. */
  remove(topic: string, name: string): Promise<boolean>;

  /**
   * Takes `at` as the next tick, if the schedule is as the caller knows it: this revision, `after` as its last tick (or its
   * beginning), not paused, no open drop. Returns the content to send; 'sent' when this very tick is sent already;
   * undefined when the schedule is not as the caller knows it. Asked again about the tick that is planned and not sent, by
   * whomever, it returns the content again.
   */
  plan(
    topic: string,
    name: string,
    tick: TickName & { readonly after: number },
  ): Promise<{ content: string } | 'sent' | undefined>;

  /** Notes that the message of the planned tick is stored. Without effect when the schedule has changed since. */
  sent(topic: string, name: string, tick: TickName): Promise<void>;

  /**
   * Tells what a cancel of a dropped tick's message answered. One that was delivered already counts as the last tick: the
   * present revision does not tick at or before that instant. Any other stays among the drops for 90 s: another process may
   * have planned it too, and its message may still be under way. A removed schedule goes with its last drop.
   */
  dropped(
    topic: string,
    name: string,
    tick: TickName,
    answer: 'cancelled' | 'already-delivered' | 'not-found',
  ): Promise<void>;
}

/** How long a message that was sent when its tick was dropped may be under way: the life of a frozen call, and a bit. */
export const DROP_WATCHED_MS = 90_000;
/** Each process reads all of them whenever one is due. */
export const MOST_SCHEDULES = 1000;
