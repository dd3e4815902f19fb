// The storage port on Redis: each method finds its room and lets it work.
import {
  ClosedError,
  type Broker,
  type BrokerListener,
  type CancelResult,
  type Delivery,
  type GroupSpec,
  type MessageRef,
  type OutgoingMessage,
  type PromoteResult,
  type ReceiveOptions,
  type RescheduleResult,
  type SendResult,
  type SettleResult,
  type Subscription,
  type TopicSettings,
  type TopicSpec,
} from '@millrace/core';
import { byConsumer, consumerName } from './by-consumer.js';
import type { Caller } from './caller.js';
import type { Connections } from './connections.js';
import type { DeclaredGroups } from './declared-groups.js';
import { GroupConsumer } from './group-consumer.js';
import { Schedule } from './schedule.js';
import { checkServers } from './server-check.js';
import { Sender } from './sender.js';
import type { Settling } from './settler.js';
import type { DurableLanes } from './durable-lanes.js';
import { isNoGroup } from './server-error.js';
import type { ServerClock } from './server-clock.js';
import type { Topics } from './topics.js';
import { Upkeep } from './upkeep.js';

export class RedisBroker implements Broker {
  private listener: BrokerListener = {};
  private readonly consumers = new Map<string, GroupConsumer>();
  /** When each consumer last found its group missing. */
  private readonly repairedAt = new Map<string, number>();
  /** Tells the promoters of what this process has scheduled, by whatever port. */
  readonly scheduled = (topic: string, shard: number, dueInMs: number): void =>
    this.listener.onScheduled?.(topic, shard, Math.max(dueInMs, 0));
  private readonly sender: Sender;
  private readonly schedule: Schedule;
  private readonly upkeep: Upkeep;

  constructor(
    private readonly connections: Connections,
    private readonly caller: Caller,
    private readonly topics: Topics,
    private readonly groups: DeclaredGroups,
    private readonly clock: ServerClock,
    lanes: DurableLanes,
    /** Ends the waits of the other ports. */
    private readonly endWaits: () => Promise<void>,
  ) {
    const { scheduled } = this;
    this.sender = new Sender(caller, topics, lanes, scheduled);
    checkServers(connections, (warning) => this.listener.onWarning?.(warning));
    this.schedule = new Schedule(caller, topics, scheduled);
    this.upkeep = new Upkeep(caller, topics, groups);
  }

  listen(listener: BrokerListener): void {
    this.listener = listener;
  }

  now(): number {
    return this.clock.now();
  }

  declareTopic(spec: TopicSpec): Promise<TopicSettings> {
    return this.topics.declare(spec);
  }

  async subscribe(spec: GroupSpec): Promise<Subscription> {
    const [subscription] = await Promise.all([this.topics.declareGroup(spec), this.clock.ask()]);
    for (const keys of this.topics.get(spec.topic).shards) this.groups.forget(keys);
    return subscription;
  }

  send(batch: readonly OutgoingMessage[]): Promise<SendResult[]> {
    return this.sender.send(batch);
  }

  cancel(topic: string, ref: MessageRef): Promise<CancelResult> {
    return this.schedule.cancel(topic, ref);
  }

  reschedule(topic: string, ref: MessageRef, due: { delayMs: number } | { atMs: number }): Promise<RescheduleResult> {
    return this.schedule.reschedule(topic, ref, due);
  }

  async receive(subscription: Subscription, shard: number, options: ReceiveOptions): Promise<Delivery[]> {
    if (this.connections.closed) throw new ClosedError('the broker');
    try {
      return await this.consumer(subscription, shard).receive(options);
    } catch (error) {
      if (!isNoGroup(error) || !this.mayRepair(subscription, shard)) throw error;
      await this.repair(subscription);
      return [];
    }
  }

  async markStarted(deliveries: readonly Delivery[]): Promise<void> {
    const parts = byConsumer(deliveries, (delivery) => delivery);
    await Promise.all(parts.map(({ one, all }) => this.of(one).leases.markStarted(all)));
  }

  async settle(items: readonly Settling[]): Promise<SettleResult[]> {
    const parts = byConsumer(items, ({ delivery }) => delivery);
    if (parts.length === 1) return this.of(parts[0]!.one).settler.settle(items);
    const results: SettleResult[] = [];
    await Promise.all(
      parts.map(async ({ one, all, indexes }) => {
        const answers = await this.of(one).settler.settle(all);
        for (const [at, index] of indexes.entries()) results[index] = answers[at]!;
      }),
    );
    return results;
  }

  async renew(deliveries: readonly Delivery[]): Promise<Delivery[]> {
    const parts = byConsumer(deliveries, (delivery) => delivery);
    return (await Promise.all(parts.map(({ one, all }) => this.of(one).leases.renew(all)))).flat();
  }

  reclaim(subscription: Subscription, shard: number, { max }: { max: number }): Promise<Delivery[]> {
    return this.consumer(subscription, shard).reclaim(max);
  }

  promote(topic: string, shard: number, { max }: { max: number }): Promise<PromoteResult> {
    return this.upkeep.promote(topic, shard, max);
  }

  trim(topic: string): Promise<number> {
    return this.upkeep.trim(topic);
  }

  async close(): Promise<void> {
    if (this.connections.closed) return;
    await Promise.all([this.endWaits(), ...[...this.consumers.values()].map((consumer) => consumer.close())]);
    await this.connections.close();
  }

  /** What a repair did not mend is an error, which makes the reader wait: repairing must not become a loop of its own. */
  private mayRepair(subscription: Subscription, shard: number): boolean {
    const name = consumerName({ ...subscription, shard });
    const now = performance.now();
    if (now < (this.repairedAt.get(name) ?? -Infinity) + REPAIR_AGAIN_MS) return false;
    this.repairedAt.set(name, now);
    return true;
  }

  /** The data was flushed or the group destroyed: a group that is made again starts at the first entry that is left. */
  private async repair(subscription: Subscription): Promise<void> {
    await this.topics.redeclare(subscription.topic);
    await this.topics.declareGroup({ ...subscription, startFrom: 'first' });
  }

  private consumer(subscription: Subscription, shard: number): GroupConsumer {
    const name = consumerName({ ...subscription, shard });
    const known = this.consumers.get(name);
    if (known) return known;
    const consumer = this.open(subscription, shard);
    this.consumers.set(name, consumer);
    return consumer;
  }

  private open(subscription: Subscription, shard: number): GroupConsumer {
    const keys = this.topics.get(subscription.topic).shards[shard]!;
    const retryScheduled = (dueInMs: number): void => this.listener.onScheduled?.(subscription.topic, shard, dueInMs);
    return new GroupConsumer(subscription, shard, keys, this.connections, this.caller, retryScheduled);
  }

  /** Who received the delivery; for one that another process received, somebody who can only be told that it is not ours. */
  private of(delivery: Delivery): GroupConsumer {
    const known = this.consumers.get(consumerName(delivery));
    if (known) return known;
    const { topic, group, consumer, shard, epoch } = delivery;
    const { settings } = this.topics.get(topic);
    const mode = epoch === undefined ? 'concurrent' : 'ordered';
    const shape = { shards: settings.shards, queuesPerShard: settings.queues / settings.shards };
    return this.open({ topic, group, consumer, mode, startFrom: 'first', leaseMs: FOREIGN_LEASE_MS, ...shape }, shard);
  }
}

const REPAIR_AGAIN_MS = 500;

/** Only shown on a renewed delivery that another process received. */
const FOREIGN_LEASE_MS = 1_000;
