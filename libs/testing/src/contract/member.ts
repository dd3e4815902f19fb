// One member of a consumer group, as a case plays it.
import type {
  BrokerPorts,
  Delivery,
  QueueLease,
  ReceiveOptions,
  Settlement,
  SettleResult,
  Subscription,
} from '@millrace/core';
import type { ContractSubject } from './contract-subject.js';

export class Member {
  /** Ordered mode: the queue leases that `receive` shows. */
  leases: QueueLease[] = [];

  constructor(
    private readonly subject: ContractSubject,
    readonly ports: BrokerPorts,
    readonly subscription: Subscription,
  ) {}

  receive(options: Partial<ReceiveOptions> = {}, shard = 0): Promise<Delivery[]> {
    const { leases } = this;
    return this.ports.broker.receive(this.subscription, shard, { max: 100, waitMs: 0, leases, ...options });
  }

  /** Everything that is ready, in the order received. A reader may come up empty once between two of its streams. */
  async drain(options: Partial<ReceiveOptions> = {}): Promise<Delivery[]> {
    const all: Delivery[] = [];
    for (let shard = 0; shard < this.subscription.shards; shard++) {
      for (let empty = 0; empty < 2;) {
        const some = await this.receive(options, shard);
        all.push(...some);
        if (some.length === 0) empty++;
      }
    }
    return all;
  }

  /** Drains, and expects exactly one delivery. */
  async drainOne(): Promise<Delivery> {
    const [delivery, ...others] = await this.drain();
    if (!delivery || others.length > 0)
      throw new Error(`expected one delivery, got ${delivery ? others.length + 1 : 0}`);
    return delivery;
  }

  settle(deliveries: readonly Delivery[], settlement: Settlement): Promise<SettleResult[]> {
    return this.ports.broker.settle(deliveries.map((delivery) => ({ delivery, settlement })));
  }

  ack(...deliveries: Delivery[]): Promise<SettleResult[]> {
    return this.settle(deliveries, { type: 'ack' });
  }

  /** Looks for expired leases `rounds` times: an implementation may go through the pending ones piece by piece. */
  async reclaim(rounds = 4, max = 100): Promise<Delivery[]> {
    const all: Delivery[] = [];
    for (let round = 0; round < rounds; round++) {
      for (let shard = 0; shard < this.subscription.shards; shard++) {
        all.push(...(await this.ports.broker.reclaim(this.subscription, shard, { max })));
      }
    }
    return all;
  }

  /** Lets this member's leases run out. */
  async expireLeases(): Promise<void> {
    if (this.subject.expireLeases) return this.subject.expireLeases(this.subscription);
    await this.subject.advance(this.subscription.leaseMs + 50);
  }

  get name(): string {
    return this.subscription.consumer;
  }

  acquire(queue: number, shard = 0): Promise<QueueLease | undefined> {
    return this.ports.leases.acquire(this.subscription, shard, queue, this.name);
  }

  /** Ordered mode: takes these queues of shard 0 and reads them from now on. */
  async own(...queues: number[]): Promise<this> {
    for (const queue of queues) {
      const lease = await this.acquire(queue);
      if (!lease) throw new Error(`queue ${queue} is held by another member`);
      this.leases.push(lease);
    }
    return this;
  }

  /** Ordered mode: gives all its queues up; what it has not settled stays for the next owner. */
  async giveUp(): Promise<void> {
    for (const lease of this.leases) await this.ports.leases.release(lease);
  }
}

/** The same delivery as somebody else would show it who never owned it. */
export function stolen(delivery: Delivery): Delivery {
  return { ...delivery, consumer: 'stranger' };
}
