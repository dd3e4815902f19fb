// Commands of the ordered group's members: own queues, read them, give them up.
import { expect } from '@jest/globals';
import type { QueueLease } from '@millrace/core';
import fc from 'fast-check';
import { allQueues, type BrokerModel } from './broker-model.js';
import { BrokerCommand, type Weighted } from './command.js';
import type { ParkedKey } from './parked-key.js';
import { OWNING, type Member, type World } from './world.js';

/** The leases that are still the member's, by queue. */
export function valid({ ordered }: BrokerModel, world: World, { name }: Member): [number, QueueLease][] {
  return [...world.leases.get(name)!].filter(([queue, { epoch }]) => ordered.ownsQueue(name, epoch, queue));
}

export class Own extends BrokerCommand {
  constructor(
    private readonly member: Member,
    private readonly queues: readonly number[] | 'all',
  ) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { name } = this.member;
    for (const queue of allQueues(model.shape)) {
      if (this.queues !== 'all' && !this.queues.includes(queue)) continue;
      const isOurs = model.ordered.acquire(name, queue);
      const lease = await world.acquire(this.member, queue);
      expect({ queue, epoch: lease?.epoch }).toEqual({
        queue,
        epoch: isOurs ? model.ordered.owners[queue]!.epoch : undefined,
      });
      if (lease) world.leases.get(name)!.set(queue, lease);
    }
  }

  toString(): string {
    return `${this.member.name} takes ${String(this.queues)}`;
  }
}

export class GiveUp extends BrokerCommand {
  constructor(private readonly member: Member) {
    super();
  }

  /** Also what it believes to own and lost long ago. It goes on believing: what it does from now on has no effect. */
  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { name, process } = this.member;
    for (const [queue, lease] of world.leases.get(name)!) {
      model.ordered.giveUp(name, lease.epoch, queue);
      await world.processes[process]!.leases.release(lease);
    }
  }

  toString(): string {
    return `${this.member.name} gives its queues up`;
  }
}

/**
 * With leases that may be lost. While something lies behind a parked key it reads until nothing comes: how far a single
 * read gets with that is the broker's choice.
 */
export class ReadQueues extends BrokerCommand {
  constructor(
    private readonly member: Member,
    private readonly shard: number,
    private readonly max: number,
  ) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { ordered, shape } = model;
    const shard = this.shard % shape.shards;
    const owned = valid(model, world, this.member).filter(([, lease]) => lease.shard === shard);
    const queues = owned.map(([queue]) => queue);
    const behind = queues.reduce((sum, queue) => sum + ordered.behindParked(queue).length, 0);
    const expected = queues.reduce((sum, queue) => sum + ordered.receivable(queue), 0);
    const begun = new Set<ParkedKey>();
    let found = 0;
    for (let empty = 0; empty < (behind > 0 ? 3 + behind : 2); empty++) {
      const count = await this.read(model, world, shard, begun);
      found += count;
      if (count > 0 && behind === 0) break;
      if (count > 0) empty = -1;
    }
    expect(found > 0).toBe(expected > 0);
    if (behind === 0) return;
    for (const queue of queues) {
      ordered.moveAll(queue);
      expect({ queue, left: ordered.receivable(queue) }).toEqual({ queue, left: 0 });
    }
  }

  toString(): string {
    return `read(${this.member.name}, shard ${this.shard}, max ${this.max})`;
  }

  private async read(model: BrokerModel, world: World, shard: number, begun: Set<ParkedKey>): Promise<number> {
    const { name, process } = this.member;
    const leases = [...world.leases.get(name)!.values()].filter((lease) => lease.shard === shard);
    const options = { max: this.max, waitMs: 0, leases };
    const deliveries = await world.processes[process]!.broker.receive(world.subscriptions.get(name)!, shard, options);
    for (const delivery of deliveries) {
      const { messageId: id, orderingKey } = delivery.message;
      const queue = world.queueOf(delivery);
      expect({
        id,
        consumer: delivery.consumer,
        isOurs: model.ordered.ownsQueue(name, delivery.epoch!, queue),
      }).toEqual({ id, consumer: name, isOurs: true });
      const key = world.keyOf(delivery);
      const parked = model.ordered.keys.get(orderingKey);
      const message =
        delivery.source === 'parked'
          ? parked && model.ordered.takeParked(id, parked, key, begun)
          : model.ordered.take(world.streamOf(delivery), id, key, queue);
      if (!message) throw new Error(`unexpected or out of order: ${id} of key ${orderingKey} from ${key}`);
      world.hand(delivery, message, model.messages.get(id)!.text);
    }
    return deliveries.length;
  }
}

/** As a consumer does: takes what it can get, and reads it. */
class Work extends BrokerCommand {
  private readonly steps: readonly BrokerCommand[];

  constructor(
    private readonly member: Member,
    shard: number,
    max: number,
  ) {
    super();
    this.steps = [new Own(member, 'all'), new ReadQueues(member, shard, max)];
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    for (const step of this.steps) await step.run(model, world);
  }

  toString(): string {
    return `${this.member.name} takes all and ${this.steps[1]!.toString()}`;
  }
}

const member = fc.constantFrom(...OWNING);
const queues = fc.oneof(fc.constant('all' as const), fc.subarray([0, 1, 2, 3], { minLength: 1, maxLength: 2 }));
const own = fc.tuple(member, queues).map(([who, some]) => new Own(who, some));
const reading = fc.tuple(member, fc.nat(1), fc.integer({ min: 1, max: 12 }));
const read = reading.map(([who, shard, max]) => new ReadQueues(who, shard, max));
const work = reading.map(([who, shard, max]) => new Work(who, shard, max));

export const owning: Weighted = [
  [1, own],
  [2, read],
  [6, work],
  [1, member.map((who) => new GiveUp(who))],
];
