// GroupControl in memory: who lives, whose tags are whose, what an operator has ordered.
import {
  ClosedError,
  MEMBER_LIVES_MS,
  TAGS_LIVE_MS,
  type BookedStarts,
  type CheckedRate,
  type GroupControl,
  type GroupState,
  type HeldSlots,
  type IdleAnswer,
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
    group.seenAt = now;
    group.idleTold = false;
    group.live.set(subscription.consumer, { at: now, tags: subscription.tags ?? [] });
    return stateOf(topic, group, now);
  }

  async leave({ topic, group, consumer }: Subscription): Promise<void> {
    if (this.isClosed()) throw new ClosedError('in-memory broker');
    const stored = this.store.find(topic)?.groups.get(group);
    stored?.live.delete(consumer);
    stored?.shares.leave(consumer);
  }

  async bookStarts(subscription: Subscription, code: CheckedRate | undefined, wanted: number): Promise<BookedStarts> {
    return this.group(subscription).shares.book(code, wanted, this.store.now());
  }

  async holdSlots(
    subscription: Subscription,
    code: number | undefined,
    need: { running: number; wanted: number },
  ): Promise<HeldSlots> {
    const { consumer: member, leaseMs } = subscription;
    return this.group(subscription).shares.hold(code, need, { member, leaseMs, now: this.store.now() });
  }

  async checkIdle(name: string, rule: { idleAfterMs: number; expireAfterMs?: number }): Promise<IdleAnswer> {
    if (this.isClosed()) throw new ClosedError('in-memory broker');
    const now = this.store.now();
    const topic = this.store.topic(name);
    const all = [...topic.groups.values()].map((group) => ({ group, idleMs: now - (group.seenAt ??= now) }));
    const untold = all.filter(({ group, idleMs }) => idleMs >= rule.idleAfterMs && !group.idleTold);
    for (const { group } of untold) group.idleTold = true;
    const expired = all.filter(({ idleMs }) => rule.expireAfterMs !== undefined && idleMs >= rule.expireAfterMs);
    for (const { group } of expired) topic.groups.delete(group.name);
    return {
      idle: untold.map(({ group, idleMs }) => ({ group: group.name, idleMs })),
      expired: expired.map(({ group }) => group.name),
      ...(topic.schedules.since !== undefined && { hasSchedules: true }),
    };
  }

  private group(subscription: Subscription): StoredGroup {
    if (this.isClosed()) throw new ClosedError('in-memory broker');
    return this.store.topic(subscription.topic).declareGroup(subscription);
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
    limits: group.shares.limits,
  };
}

/** A pause as it was ordered, unless its time is over. */
function inForce(scope: PauseInForce['scope'], pause: Ordered | undefined, now: number): PauseInForce | undefined {
  if (!pause) return undefined;
  const { by, why, since, until } = pause;
  if (until === undefined) return { scope, by, why, since };
  return until.getTime() > now ? { scope, by, why, since, until, leftMs: until.getTime() - now } : undefined;
}
