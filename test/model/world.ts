// The real side of a run: two processes on one store, the members of two groups, and every delivery they were given.
import { expect } from '@jest/globals';
import {
  FIRST_DELIVERY,
  topicSpec,
  type BrokerPorts,
  type Delivery,
  type Settlement,
  type Subscription,
} from '@millrace/core';
import type { BroadcastPosition } from '@millrace/core';
import type { Shape } from './broker-model.js';
import type { Travelling, Verdict } from './group-model.js';
import { HOUR_MS } from './draft.js';
import { LEASE_MS, type Hourglass } from './hourglass.js';

/** Two members share the first group, over two processes; the second has one. */
export const MEMBERS = [
  { name: 'one', group: 'g', process: 0 },
  { name: 'two', group: 'g', process: 1 },
  { name: 'three', group: 'h', process: 1 },
] as const;
export const GROUPS = ['g', 'h'] as const;

/** An empty store, and the way to pass time on it. */
export interface Store {
  ports(): BrokerPorts;
  hourglass(shape: Shape): Hourglass;
}

const BROADCAST = { group: 'b', startFrom: 'first' } as const;
let worlds = 0;

export class World {
  readonly topic = `model-${++worlds}`;
  readonly processes: readonly BrokerPorts[];
  readonly hourglass: Hourglass;
  readonly subscriptions = new Map<string, Subscription>();
  /** By group, in step with `GroupModel.handed`. */
  readonly handed = new Map<string, Delivery[]>(GROUPS.map((group) => [group, []]));
  readonly broadcast = { read: [] as string[][], missed: [] as number[] };
  private readonly fences = new Map<string, number>();
  private positions: (readonly BroadcastPosition[])[] = [];

  private constructor(
    store: Store,
    readonly shape: Shape,
  ) {
    this.processes = [store.ports(), store.ports()];
    this.hourglass = store.hourglass(shape);
    this.broadcast.read = Array.from({ length: shape.queues }, () => []);
    this.broadcast.missed = Array.from({ length: shape.queues }, () => 0);
  }

  static async open(store: Store, shape: Shape): Promise<World> {
    const world = new World(store, shape);
    const { topic } = world;
    // A window and a maximum of delay that outlast every hour that a run lets pass.
    const spec = topicSpec({
      topic,
      ...shape,
      delayBuckets: 2,
      idempotencyWindow: '365d',
      retention: 0,
      retentionCount: 0,
    });
    for (const { broker } of world.processes) await broker.declareTopic(spec);
    for (const { name, group, process } of MEMBERS) {
      const member = {
        topic,
        group,
        mode: 'concurrent',
        consumer: name,
        leaseMs: LEASE_MS,
        startFrom: 'first',
      } as const;
      world.subscriptions.set(name, await world.processes[process]!.broker.subscribe(member));
    }
    world.positions = [...(await world.ports.broadcast.open({ topic, ...BROADCAST }))];
    return world;
  }

  get ports(): BrokerPorts {
    return this.processes[0]!;
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map(({ broker }) => broker.close()));
    await this.hourglass.close();
  }

  /** Stream of a delivery, as the model calls it. */
  streamOf({ source, shard, queue }: Delivery): string {
    return source === 'retry' ? `r${shard}` : `q${shard * (this.shape.queues / this.shape.shards) + queue}`;
  }

  keyOf(delivery: Delivery): string {
    return `${this.streamOf(delivery)}/${delivery.entryId}`;
  }

  /** Notes a hand-over, and compares what it shows with what the model says of the message. */
  hand(delivery: Delivery, expected: Travelling, text: string): void {
    const { state, message, group } = delivery;
    const { id, attempt, crashes, generation } = expected;
    expect({ id: message.messageId, text: `${message.tag}/${message.body.toString()}` }).toEqual({ id, text });
    expect({ id, attempt: state.attempt, crashes: state.crashes, generation: state.generation }).toEqual({
      id,
      attempt,
      crashes,
      generation,
    });
    const fence = `${group} ${id}`;
    expect(delivery.fence).toBeGreaterThan(this.fences.get(fence) ?? -1);
    this.fences.set(fence, delivery.fence);
    this.handed.get(group)!.push(delivery);
  }

  /** Everything that the broadcast reader has not read yet. */
  async readBroadcast(): Promise<void> {
    const perShard = this.shape.queues / this.shape.shards;
    for (let shard = 0; shard < this.shape.shards; shard++) {
      for (;;) {
        const spec = { topic: this.topic, ...BROADCAST };
        const options = { max: 7, waitMs: 0 };
        const page = await this.ports.broadcast.read(spec, shard, this.positions[shard]!, options);
        this.positions[shard] = page.positions;
        for (const { queue, missed } of page.gaps) this.broadcast.missed[shard * perShard + queue]! += missed!;
        for (const { queue, message } of page.entries)
          this.broadcast.read[shard * perShard + queue]!.push(message.messageId);
        if (page.entries.length === 0) break;
      }
    }
  }
}

export function settlementFor(verdict: Verdict, { state }: Delivery): Settlement {
  const delayMs = 'far' in verdict && verdict.far ? HOUR_MS : 0;
  if (verdict.type === 'ack') return verdict.skipped ? { type: 'ack', skipped: true } : { type: 'ack' };
  if (verdict.type === 'release') return { type: 'release', delayMs };
  if (verdict.type === 'retry')
    return { type: 'retry', delayMs, state: { ...FIRST_DELIVERY, ...state, attempt: state.attempt + 1 } };
  // Not what a consumer would write, but an attempt that a redrive has to set back.
  return { type: 'dead-letter', reason: 'rejected', state: { ...state, attempt: state.attempt + 1 } };
}
