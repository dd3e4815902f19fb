// The real side of a run: two processes on one store, the members of two groups, and every delivery they were given.
import { expect } from '@jest/globals';
import {
  FIRST_DELIVERY,
  topicSpec,
  type BroadcastPosition,
  type BrokerPorts,
  type ConsumeMode,
  type Delivery,
  type QueueLease,
  type Settlement,
  type Subscription,
} from '@millrace/core';
import type { ManualClock } from '@millrace/testing';
import { farMs } from './group-model.js';
import { LEASE_MS, type Shape } from './shape.js';
import type { Travelling, Verdict } from './travelling.js';

export interface Member {
  readonly name: string;
  readonly group: 'g' | 'o';
  readonly process: number;
}

/** Two members in each group, each in a process of its own. */
export const SHARING: readonly Member[] = [
  { name: 'one', group: 'g', process: 0 },
  { name: 'two', group: 'g', process: 1 },
];
export const OWNING: readonly Member[] = [
  { name: 'left', group: 'o', process: 0 },
  { name: 'right', group: 'o', process: 1 },
];
export const MODES: Readonly<Record<'g' | 'o', ConsumeMode>> = { g: 'concurrent', o: 'ordered' };

/** An empty store in virtual time. */
export interface Store {
  readonly clock: ManualClock;
  /** One more process. */
  ports(): BrokerPorts;
  close(): Promise<void>;
}

const BROADCAST = { group: 'b', startFrom: 'first' } as const;
let worlds = 0;

export class World {
  readonly topic = `model-${++worlds}`;
  readonly processes: readonly BrokerPorts[];
  readonly subscriptions = new Map<string, Subscription>();
  /** By group, in step with `GroupModel.handed`. */
  readonly handed = { g: [] as Delivery[], o: [] as Delivery[] };
  /** Ordered mode: what each member believes to own, by queue over all shards; perhaps another's since. */
  readonly leases = new Map<string, Map<number, QueueLease>>(OWNING.map(({ name }) => [name, new Map()]));
  readonly broadcast: { readonly read: string[][]; readonly missed: number[] };
  private readonly fences = new Map<string, number>();
  private positions: (readonly BroadcastPosition[])[] = [];

  private constructor(
    private readonly store: Store,
    readonly shape: Shape,
  ) {
    this.processes = [store.ports(), store.ports()];
    const queues = Array.from({ length: shape.queues });
    this.broadcast = { read: queues.map(() => []), missed: queues.map(() => 0) };
  }

  static async open(store: Store, shape: Shape): Promise<World> {
    const world = new World(store, shape);
    const { topic } = world;
    // A window and a maximum of delay that outlast every hour that a run lets pass.
    const settings = { delayBuckets: 2, idempotencyWindow: '365d', retention: 0, retentionCount: 0 } as const;
    const spec = topicSpec({ topic, ...shape, ...settings });
    for (const { broker } of world.processes) await broker.declareTopic(spec);
    for (const { name, group, process } of [...SHARING, ...OWNING]) {
      const of = { topic, group, mode: MODES[group], consumer: name, leaseMs: LEASE_MS, startFrom: 'first' } as const;
      world.subscriptions.set(name, await world.processes[process]!.broker.subscribe(of));
    }
    world.positions = [...(await world.ports.broadcast.open({ topic, ...BROADCAST }))];
    return world;
  }

  get ports(): BrokerPorts {
    return this.processes[0]!;
  }

  now(): number {
    return this.store.clock.now();
  }

  async advance(ms: number): Promise<void> {
    await this.store.clock.advance(ms);
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map(({ broker }) => broker.close()));
    await this.store.close();
  }

  async acquire({ name, process }: Member, queue: number): Promise<QueueLease | undefined> {
    const subscription = this.subscriptions.get(name)!;
    const [shard, local] = [Math.floor(queue / subscription.queuesPerShard), queue % subscription.queuesPerShard];
    return this.processes[process]!.leases.acquire(subscription, shard, local, name);
  }

  queueOf({ shard, queue }: Pick<Delivery, 'shard' | 'queue'>): number {
    return shard * (this.shape.queues / this.shape.shards) + queue;
  }

  /** Stream of a delivery, as the model calls it. */
  streamOf(delivery: Delivery): string {
    if (delivery.source === 'queue') return `q${this.queueOf(delivery)}`;
    return delivery.group === 'o' ? `r${this.queueOf(delivery)}` : `r${delivery.shard}`;
  }

  keyOf(delivery: Delivery): string {
    const { source, shard, entryId } = delivery;
    return source === 'parked' ? `p${shard}/${delivery.queue}/${entryId}` : `${this.streamOf(delivery)}/${entryId}`;
  }

  /** Notes a hand-over, and compares what it shows with what the model says of the message. */
  hand(delivery: Delivery, expected: Travelling, text: string): void {
    const { state, message, readyAt } = delivery;
    const { id, attempt, crashes, generation } = expected;
    const about = { id: message.messageId, text: `${message.tag}/${message.body.toString()}`, readyAt };
    const seen = { ...about, attempt: state.attempt, crashes: state.crashes, generation: state.generation };
    expect(seen).toEqual({ id, text, readyAt: expected.readyAt, attempt, crashes, generation });
    const fence = `${delivery.group} ${id}`;
    expect(delivery.fence).toBeGreaterThan(this.fences.get(fence) ?? -1);
    this.fences.set(fence, delivery.fence);
    this.handed[delivery.group as 'g' | 'o'].push(delivery);
  }

  /** Everything that the broadcast reader has not read yet. */
  async readBroadcast(): Promise<void> {
    const spec = { topic: this.topic, ...BROADCAST };
    for (let shard = 0; shard < this.shape.shards; shard++) {
      for (;;) {
        const options = { max: 7, waitMs: 0 };
        const page = await this.ports.broadcast.read(spec, shard, this.positions[shard]!, options);
        this.positions[shard] = page.positions;
        for (const { queue, missed } of page.gaps) this.broadcast.missed[this.queueOf({ shard, queue })]! += missed!;
        for (const { queue, message } of page.entries)
          this.broadcast.read[this.queueOf({ shard, queue })]!.push(message.messageId);
        if (page.entries.length === 0) break;
      }
    }
  }
}

/** @param index place in its call: those of one call are due one after the other */
export function settlementFor(verdict: Verdict, { state }: Delivery, index: number): Settlement {
  const failed = { ...FIRST_DELIVERY, ...state, attempt: state.attempt + 1 };
  switch (verdict.type) {
    case 'ack':
    case 'follow':
      return verdict;
    case 'retry':
      return { type: 'retry', delayMs: verdict.far ? farMs(index) : 0, state: failed };
    case 'release':
      return { type: 'release', delayMs: verdict.far ? farMs(index) : 0 };
    case 'park':
      return { type: 'park', reason: 'attempts-exhausted', state: failed };
    default:
      // Not what a consumer would write, but an attempt that a redrive has to set back.
      return { type: 'dead-letter', reason: 'rejected', state: failed };
  }
}
