// GroupControl in memory: who lives, whose tags are whose, what an operator has ordered.
import {
  ClosedError,
  MEMBER_LIVES_MS,
  TAGS_LIVE_MS,
  type GroupControl,
  type GroupState,
  type PauseInForce,
  type Subscription,
} from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import type { Ordered, StoredGroup } from './stored-group.js';
import type { StoredTopic } from './stored-topic.js';

export class InMemoryControl implements GroupControl {
  constructor(
    private readonly store: InMemoryStore,
    private readonly isClosed: () => boolean,
  ) {}

  async beat(subscription: Subscription): Promise<GroupState> {
    if (this.isClosed()) throw new ClosedError('in-memory broker');
    const now = this.store.now();
    const topic = this.store.topic(subscription.topic);
    const group = topic.declareGroup(subscription);
    registerTags(group, subscription, now);
    group.live.set(subscription.consumer, { at: now, tags: subscription.tags ?? [] });
    return stateOf(topic, group, now);
  }

  async leave({ topic, group, consumer }: Subscription): Promise<void> {
    if (this.isClosed()) throw new ClosedError('in-memory broker');
    this.store.find(topic)?.groups.get(group)?.live.delete(consumer);
  }
}

export function registerTags(group: StoredGroup, { tags = [] }: { tags?: readonly string[] }, now: number): void {
  for (const tag of tags) group.tags.set(tag, now);
  for (const [tag, at] of group.tags) if (now - at >= TAGS_LIVE_MS) group.tags.delete(tag);
}

export function stateOf(topic: StoredTopic, group: StoredGroup, now: number): GroupState {
  const living = [...group.live].filter(([, { at }]) => now - at <= MEMBER_LIVES_MS);
  const pauses = [inForce('topic', topic.pause, now), inForce('group', group.pause, now)];
  return {
    members: living.map(([name, { tags }]) => ({ name, tags })).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    tags: [...group.tags.keys()].toSorted(),
    pauses: pauses.filter((pause) => pause !== undefined),
    limits: group.limits,
  };
}

/** A pause as it was ordered, unless its time is over. */
function inForce(scope: PauseInForce['scope'], pause: Ordered | undefined, now: number): PauseInForce | undefined {
  if (!pause) return undefined;
  const { by, why, since, until } = pause;
  if (until === undefined) return { scope, by, why, since };
  return until.getTime() > now ? { scope, by, why, since, until, leftMs: until.getTime() - now } : undefined;
}
