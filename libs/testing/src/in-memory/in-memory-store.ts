// The "server" of the in-memory broker. Several connections may share one, as processes share a Redis.
import { systemClock, TopicError, type Clock, type TopicSpec } from '@millrace/core';
import type { ClockedStore } from '../clocked-store.js';
import { ManualClock } from '../manual-clock.js';
import { StoredTopic } from './stored-topic.js';

export class InMemoryStore implements ClockedStore {
  /** The one clock that due times, leases, windows and retention go by. */
  readonly clock: Clock;
  /** What durability its sends claim; see `provesAll` of the constructor. */
  readonly provesAll: boolean;
  private readonly topics = new Map<string, StoredTopic>();
  private sequence = 0;
  private fence = 0;

  /**
   * @param options.clock a ManualClock moves delays, leases and windows by hand. @default systemClock
   * @param options.provesAll take sends that ask for more than durability 'memory', as a server would that has what they
   *   need; otherwise they are refused, because nothing here outlives the process. @default false
   */
  constructor(options: { clock?: Clock; provesAll?: boolean } = {}) {
    this.provesAll = options.provesAll ?? false;
    this.clock = options.clock ?? systemClock;
    if (this.clock instanceof ManualClock) this.clock.attach(this);
  }

  /** Unix ms of the store's clock. */
  now(): number {
    return this.clock.now();
  }

  /** A number that grows with every call: the order of sending. */
  nextSequence(): number {
    return ++this.sequence;
  }

  /** The present instant, but always more than the one before. */
  nextFence(): number {
    this.fence = Math.max(this.now(), this.fence + 1);
    return this.fence;
  }

  /** Everything here is done in the step that asks for it, and goes by the clock itself. */
  async settle(): Promise<void> {}
  async moveTo(): Promise<void> {}

  /** Whether any delivery is leased. */
  isLeased(): boolean {
    for (const { groups } of this.topics.values())
      for (const { shards } of groups.values()) if (shards.some(({ pending }) => pending.size > 0)) return true;
    return false;
  }

  declare(spec: TopicSpec): StoredTopic {
    let topic = this.topics.get(spec.topic);
    if (!topic && !spec.autoCreate) throw notFound(spec.topic);
    if (!topic) this.topics.set(spec.topic, (topic = new StoredTopic(spec)));
    topic.checkSettings(spec);
    return topic;
  }

  topicNames(): string[] {
    return [...this.topics.keys()];
  }

  find(topic: string): StoredTopic | undefined {
    return this.topics.get(topic);
  }

  /** Throws TopicError `MQ_TOPIC_NOT_FOUND` when nobody has declared it. */
  topic(name: string): StoredTopic {
    const topic = this.topics.get(name);
    if (!topic) throw notFound(name);
    return topic;
  }
}

function notFound(topic: string): TopicError {
  return new TopicError(topic, `topic ${topic} does not exist`, 'MQ_TOPIC_NOT_FOUND');
}
