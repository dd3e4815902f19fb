// What an operator sees of parked half messages in memory, and does about them.
import { searchedOf, type HalfAdmin, type ParkedHalfMessage } from '@millrace/core';
import { commitHalf, rollbackHalf } from './decide-half.js';
import { InMemoryDeadLetters } from './in-memory-dead-letters.js';
import type { InMemoryStore } from './in-memory-store.js';
import type { OnScheduled } from './send.js';
import type { StoredHalf } from './stored-halves.js';

export class InMemoryHalfAdmin extends InMemoryDeadLetters implements HalfAdmin {
  constructor(
    store: InMemoryStore,
    private readonly onScheduled: OnScheduled,
  ) {
    super(store);
  }

  async parkedHalves(
    topic: string,
    { offset, limit }: { offset: number; limit: number },
  ): Promise<ParkedHalfMessage[]> {
    const all = this.store.topic(topic).shards.flatMap(({ halves }) => halves.parked);
    return all
      .toSorted((a, b) => a.parkedAt! - b.parkedAt!)
      .slice(offset, offset + Math.min(limit, 1000))
      .map(({ message, producerGroup, checks, since, parkedAt }) => ({
        topic,
        messageId: message.messageId,
        producerGroup,
        checks,
        since: new Date(since),
        parkedAt: new Date(parkedAt!),
        ...searchedOf(message),
        message,
      }));
  }

  async resumeHalf(topic: string, messageId: string): Promise<'resumed' | 'not-parked'> {
    const found = this.parkedHalf(topic, messageId);
    if (!found) return 'not-parked';
    Object.assign(found.half, { parkedAt: undefined, checks: 0, checkAt: this.store.now() });
    return 'resumed';
  }

  async commitHalf(topic: string, messageId: string): Promise<'committed' | 'not-parked'> {
    const found = this.parkedHalf(topic, messageId);
    if (!found) return 'not-parked';
    commitHalf(this.store, this.store.topic(topic), found.shard, found.half, this.onScheduled);
    return 'committed';
  }

  async rollbackHalf(topic: string, messageId: string): Promise<'rolled-back' | 'not-parked'> {
    const found = this.parkedHalf(topic, messageId);
    if (!found) return 'not-parked';
    rollbackHalf(this.store.topic(topic), found.shard, found.half, this.store.now());
    return 'rolled-back';
  }

  private parkedHalf(topic: string, messageId: string): { half: StoredHalf; shard: number } | undefined {
    const { shards } = this.store.topic(topic);
    const shard = shards.findIndex(({ halves }) => halves.all.get(messageId)?.parkedAt !== undefined);
    return shard < 0 ? undefined : { shard, half: shards[shard]!.halves.all.get(messageId)! };
  }
}
