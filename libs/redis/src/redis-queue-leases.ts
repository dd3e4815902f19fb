// Ordered mode: who owns which queue, and who is alive to own one.
import type { QueueLease, QueueLeases, Subscription } from '@millrace/core';
import type { Caller } from './caller.js';
import { leaseText } from './delivery-names.js';
import type { Topics } from './topics.js';

export class RedisQueueLeases implements QueueLeases {
  /** Highest epoch seen of each queue: epochs must grow even when a failover lost the server's latest writes. */
  private readonly epochs = new Map<string, number>();

  constructor(
    private readonly caller: Caller,
    private readonly topics: Topics,
  ) {}

  async join(subscription: Subscription, member: string): Promise<string[]> {
    const ttl = subscription.leaseMs;
    return ((await this.caller.run('join-group', [this.members(subscription)], [member, ttl])) as string[]).toSorted();
  }

  async leave(subscription: Subscription, member: string): Promise<void> {
    await this.caller.run('leave-group', [this.members(subscription)], [member]);
  }

  async acquire(
    subscription: Subscription,
    shard: number,
    queue: number,
    member: string,
  ): Promise<QueueLease | undefined> {
    const { topic, group, leaseMs } = subscription;
    const { owners } = this.topics.get(topic).shards[shard]!.group(group);
    const name = `${owners}:${queue}`;
    const asked = this.caller.monotonic();
    const args = [queue, member, leaseMs, this.epochs.get(name) ?? 0];
    const [word, number] = (await this.caller.run('lease-queue', [owners], args)) as [string, string];
    if (word !== 'GRANTED') return undefined;
    this.epochs.set(name, Number(number));
    return { topic, group, shard, queue, member, epoch: Number(number), until: asked + leaseMs };
  }

  async release(lease: QueueLease): Promise<void> {
    const { owners } = this.topics.get(lease.topic).shards[lease.shard]!.group(lease.group);
    await this.caller.run('release-queue', [owners], [leaseText(lease)]);
  }

  private members({ topic, group }: Subscription): string {
    return this.topics.get(topic).shards[0]!.group(group).members;
  }
}
