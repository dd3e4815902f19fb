// Broker in memory: the promises of the port, kept by plain data. Every method does its work in one synchronous step,
// which is what a script is on a Redis server: nothing can be seen half done.
import {
  ClosedError,
  type Broker,
  type BrokerListener,
  type CancelResult,
  type Clock,
  type Delivery,
  type GroupSpec,
  type MessageRef,
  type OutgoingMessage,
  type PromoteResult,
  type ReceiveOptions,
  type RescheduleResult,
  type SendResult,
  type Settlement,
  type SettleResult,
  type Subscription,
  type TopicSettings,
  type TopicSpec,
} from '@millrace/core';
import { cancel, reschedule } from './cancel.js';
import { ownedBy, reclaimExpired, renewOne } from './delivery-leases.js';
import { registerTags } from './in-memory-control.js';
import type { InMemoryStore } from './in-memory-store.js';
import { promote } from './promote.js';
import { Receiver } from './receiver.js';
import { sendOne, type OnScheduled } from './send.js';
import { settleOne } from './settle.js';
import { trim } from './trim.js';

export class InMemoryBroker implements Broker {
  private listener: BrokerListener = {};
  private readonly closing = new AbortController();
  private readonly receiver: Receiver;

  constructor(
    private readonly store: InMemoryStore,
    private readonly clock: Clock,
  ) {
    this.receiver = new Receiver(store, clock, this.closing.signal);
  }

  /** Aborted by `close`. */
  get closed(): AbortSignal {
    return this.closing.signal;
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  listen(listener: BrokerListener): void {
    this.listener = listener;
  }

  now(): number {
    return this.store.now();
  }

  async declareTopic(spec: TopicSpec): Promise<TopicSettings> {
    this.checkOpen();
    return this.store.declare(spec).settings;
  }

  async subscribe(spec: GroupSpec): Promise<Subscription> {
    this.checkOpen();
    const topic = this.store.topic(spec.topic);
    const group = topic.declareGroup(spec);
    registerTags(group, spec, this.store.now());
    if (spec.tags) group.seenAt = this.store.now();
    const { leaseMs } = group;
    const { shards, queues, ttlMs } = topic.settings;
    return { ...spec, leaseMs, shards, queuesPerShard: queues / shards, ttlMs };
  }

  async send(batch: readonly OutgoingMessage[]): Promise<SendResult[]> {
    this.checkOpen();
    return batch.map((message) => sendOne(this.store, message, this.onScheduled));
  }

  async cancel(topic: string, ref: MessageRef): Promise<CancelResult> {
    this.checkOpen();
    return cancel(this.store, this.store.topic(topic), ref);
  }

  async reschedule(
    topic: string,
    ref: MessageRef,
    due: { delayMs: number } | { atMs: number },
  ): Promise<RescheduleResult> {
    this.checkOpen();
    return reschedule(this.store, this.store.topic(topic), ref, due, this.onScheduled);
  }

  async receive(subscription: Subscription, shard: number, options: ReceiveOptions): Promise<Delivery[]> {
    this.checkOpen();
    return this.receiver.receive(subscription, shard, options);
  }

  async markStarted(deliveries: readonly Delivery[]): Promise<void> {
    this.checkOpen();
    for (const delivery of deliveries) {
      const owned = ownedBy(this.store.find(delivery.topic), delivery);
      if (owned) owned.pending.started = true;
    }
  }

  async settle(items: readonly { delivery: Delivery; settlement: Settlement }[]): Promise<SettleResult[]> {
    this.checkOpen();
    return items.map(({ delivery, settlement }) => settleOne(this.store, delivery, settlement, this.onScheduled));
  }

  async renew(deliveries: readonly Delivery[]): Promise<Delivery[]> {
    this.checkOpen();
    const asked = this.clock.monotonic();
    return deliveries.filter((delivery) => {
      const owned = ownedBy(this.store.find(delivery.topic), delivery);
      if (!owned) return false;
      renewOne(owned, this.store.now());
      delivery.leaseUntil = asked + owned.group.leaseMs;
      return true;
    });
  }

  async reclaim(subscription: Subscription, shard: number, options: { max: number }): Promise<Delivery[]> {
    this.checkOpen();
    const leaseUntil = this.clock.monotonic() + subscription.leaseMs;
    const group = this.store.topic(subscription.topic).declareGroup(subscription);
    const part = group.shards[shard]!;
    const taken = reclaimExpired(group, part, subscription.consumer, options.max, this.store.now());
    return taken.map((pending) => this.receiver.toDelivery(subscription, shard, pending, leaseUntil));
  }

  async promote(topic: string, shard: number, options: { max: number }): Promise<PromoteResult> {
    this.checkOpen();
    return promote(this.store, this.store.topic(topic), shard, options.max);
  }

  async trim(topic: string): Promise<number> {
    this.checkOpen();
    return trim(this.store, this.store.topic(topic));
  }

  async close(): Promise<void> {
    this.closing.abort();
  }

  readonly onScheduled: OnScheduled = (topic, shard, dueInMs) => this.listener.onScheduled?.(topic, shard, dueInMs);

  private checkOpen(): void {
    if (this.isClosed) throw new ClosedError('in-memory broker');
  }
}
