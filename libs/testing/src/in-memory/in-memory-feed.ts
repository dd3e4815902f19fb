// DeadLetterFeed in memory: which dead letters nobody has been told of, and from when each may be given out.
import { TopicError, type DeadLetterFeed, type UntoldDeadLetter } from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import type { StoredGroup } from './stored-group.js';

export class InMemoryFeed implements DeadLetterFeed {
  constructor(private readonly store: InMemoryStore) {}

  async take(
    topic: string,
    group: string,
    { max, leaseMs }: { max: number; leaseMs: number },
  ): Promise<UntoldDeadLetter[]> {
    const stored = this.store.topic(topic);
    // A listener may be there before the group has its first member.
    const untold = stored.untoldOf(group);
    const found = stored.groups.get(group);
    const now = this.store.now();
    const due = [...untold].filter(([, at]) => at <= now).toSorted(([, a], [, b]) => a - b);
    return due.slice(0, max).flatMap(([name]) => {
      const buried = found?.dead.find(({ letter }) => letter.name === name);
      if (!buried) return [];
      untold.set(name, now + leaseMs);
      return [{ letter: buried.letter, shard: buried.shard, token: String(now + leaseMs) }];
    });
  }

  async settle(
    untold: UntoldDeadLetter,
    how: { type: 'told' } | { type: 'again'; delayMs: number },
  ): Promise<'settled' | 'lease-lost'> {
    const kept = this.held(untold);
    if (!kept) return 'lease-lost';
    if (how.type === 'told') kept.delete(untold.letter.name);
    else kept.set(untold.letter.name, this.store.now() + how.delayMs);
    return 'settled';
  }

  async renew(untold: UntoldDeadLetter, leaseMs: number): Promise<boolean> {
    const kept = this.held(untold);
    if (!kept) return false;
    const until = this.store.now() + leaseMs;
    kept.set(untold.letter.name, until);
    untold.token = String(until);
    return true;
  }

  private held({ letter, token }: UntoldDeadLetter): NonNullable<StoredGroup['untold']> | undefined {
    const topic = this.store.find(letter.topic);
    if (!topic) throw new TopicError(letter.topic, `topic ${letter.topic} does not exist`, 'MQ_TOPIC_NOT_FOUND');
    const kept = topic.untoldOf(letter.group);
    return kept.get(letter.name) === Number(token) ? kept : undefined;
  }
}
