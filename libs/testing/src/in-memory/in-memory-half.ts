// HalfMessages in memory. Mirrors what must be one atomic step in any store.
import {
  ClosedError,
  IdempotencyConflictError,
  queueOf,
  routeOf,
  TopicError,
  unprovable,
  type HalfAnswer,
  type HalfChecks,
  type HalfMessages,
  type HalfOwner,
  type HalfRef,
  type OutgoingMessage,
  type SendResult,
  type TakeChecksOptions,
} from '@millrace/core';
import { commitHalf, rollbackHalf, undecided } from './decide-half.js';
import type { InMemoryStore } from './in-memory-store.js';
import { duplicateReceipt, storedCopy, type OnScheduled } from './send.js';
import { takeChecks } from './take-checks.js';

export class InMemoryHalf implements HalfMessages {
  constructor(
    private readonly store: InMemoryStore,
    private readonly isClosed: () => boolean,
    private readonly onScheduled: OnScheduled,
  ) {}

  async prepare(message: OutgoingMessage, owner: HalfOwner): Promise<SendResult> {
    const { topic: name, messageId, identity, routingKey, due } = message;
    if (this.isClosed()) return { ok: false, error: new ClosedError('in-memory broker') };
    const topic = this.store.find(name);
    if (!topic) return { ok: false, error: new TopicError(name, `topic ${name} does not exist`, 'MQ_TOPIC_NOT_FOUND') };
    if (message.durability && !this.store.provesAll)
      return { ok: false, error: unprovable('the in-memory broker keeps nothing beyond its process') };
    const now = this.store.now();
    const route = routeOf(routingKey, topic.settings);
    const shard = topic.shards[route.shard]!;
    const known = identity && shard.records.get(identity.record, now);
    if (known?.digest === identity?.digest && known)
      return { ok: true, receipt: duplicateReceipt(topic, shard, known) };
    if (known || shard.halves.all.has(messageId)) {
      const first = known?.messageId ?? messageId;
      return { ok: false, error: new IdempotencyConflictError(name, identity?.key ?? messageId, first) };
    }
    const queue = queueOf(routingKey, topic.settings.queues);
    // Without end: its window begins with the commit.
    if (identity)
      shard.records.put(identity.record, {
        messageId,
        digest: identity.digest,
        queue,
        storedAt: now,
        expiresAt: Infinity,
      });
    shard.halves.add({
      message: storedCopy(message),
      routingKey,
      queue: route.queue,
      due,
      record: identity?.record,
      producerGroup: owner.producerGroup,
      since: now,
      checks: 0,
      checkAt: now + owner.checkAfterMs,
    });
    topic.accepted++;
    return { ok: true, receipt: { messageId, topic: name, queue, duplicate: false, state: 'half' } };
  }

  async commit(name: string, ref: HalfRef): Promise<HalfAnswer> {
    this.checkOpen();
    const topic = this.store.topic(name);
    const { shard } = routeOf(ref.routingKey, topic.settings);
    const half = undecided(topic.shards[shard]!, ref.messageId, this.store.now());
    return 'state' in half ? half : commitHalf(this.store, topic, shard, half, this.onScheduled);
  }

  async rollback(name: string, ref: HalfRef): Promise<HalfAnswer> {
    this.checkOpen();
    const topic = this.store.topic(name);
    const { shard } = routeOf(ref.routingKey, topic.settings);
    const half = undecided(topic.shards[shard]!, ref.messageId, this.store.now());
    return 'state' in half ? half : rollbackHalf(topic, shard, half, this.store.now());
  }

  async takeChecks(topic: string, producerGroup: string, options: TakeChecksOptions): Promise<HalfChecks> {
    this.checkOpen();
    return takeChecks(this.store.topic(topic), producerGroup, options, this.store.now());
  }

  private checkOpen(): void {
    if (this.isClosed()) throw new ClosedError('in-memory broker');
  }
}
