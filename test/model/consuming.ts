// Commands of the concurrent group's members: receive, start, settle, take over.
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { BrokerModel } from './broker-model.js';
import { BrokerCommand, type Weighted } from './command.js';
import { OnHandOvers, Renew, settle, somePicks } from './hand-overs.js';
import type { Verdict } from './travelling.js';
import { SHARING, type Member, type World } from './world.js';

export class Receive extends BrokerCommand {
  constructor(
    private readonly member: Member,
    private readonly shard: number,
    private readonly max: number,
  ) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { name, process } = this.member;
    const shard = this.shard % model.shape.shards;
    const { broker } = world.processes[process]!;
    const subscription = world.subscriptions.get(name)!;
    const options = { max: this.max, waitMs: 0 };
    const before = model.concurrent.readyIn(shard);
    let deliveries = await broker.receive(subscription, shard, options);
    // A reader may come up empty once between two of its streams.
    if (deliveries.length === 0) deliveries = await broker.receive(subscription, shard, options);
    expect(deliveries.length > 0).toBe(before > 0);
    for (const delivery of deliveries) {
      expect(delivery.consumer).toBe(name);
      const id = delivery.message.messageId;
      const message = model.concurrent.take(world.streamOf(delivery), id, world.keyOf(delivery), name);
      if (!message) throw new Error(`unexpected or out of order: ${id} from ${world.keyOf(delivery)}`);
      world.hand(delivery, message, model.messages.get(id)!.text);
    }
  }

  toString(): string {
    return `receive(${this.member.name}, shard ${this.shard}, max ${this.max})`;
  }
}

class Start extends BrokerCommand {
  constructor(private readonly member: Member) {
    super();
  }

  /** All that it holds, under the latest hand-over of each: one mark of a stream stands for all before it. */
  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { name, process } = this.member;
    const started = new Set(model.concurrent.start(name));
    const latest = new Map(world.handed.g.map((delivery) => [world.keyOf(delivery), delivery]));
    const deliveries = [...latest].filter(([key]) => started.has(key)).map(([, delivery]) => delivery);
    await world.processes[process]!.broker.markStarted(deliveries);
  }

  toString(): string {
    return `start all handlers of ${this.member.name}`;
  }
}

export class Reclaim extends BrokerCommand {
  constructor(
    private readonly member: Member,
    private readonly shard: number,
  ) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { name, process } = this.member;
    const shard = this.shard % model.shape.shards;
    const expected = model.concurrent.reclaim(shard, name);
    const taken = await world.processes[process]!.broker.reclaim(world.subscriptions.get(name)!, shard, { max: 1000 });
    expect(taken.map((delivery) => world.keyOf(delivery)).toSorted()).toEqual([...expected.keys()].toSorted());
    // In the model's order, so that both lists of hand-overs stay in step.
    for (const [key, message] of expected) {
      const delivery = taken.find((one) => world.keyOf(one) === key)!;
      expect(delivery.consumer).toBe(name);
      world.hand(delivery, message, model.messages.get(message.id)!.text);
    }
  }

  toString(): string {
    return `reclaim(${this.member.name}, shard ${this.shard})`;
  }
}

class Settle extends OnHandOvers {
  constructor(
    picked: readonly number[],
    private readonly verdict: Verdict,
    private readonly process: number,
  ) {
    super('g', picked);
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const items = this.places(model).map((place) => ({ place, verdict: this.verdict }));
    await settle(model, world, { group: 'g', process: this.process }, items);
  }

  toString(): string {
    return `settle(g, ${this.picks.join(' ')}, ${JSON.stringify(this.verdict)}) by process ${this.process}`;
  }
}

export const anyVerdict: fc.Arbitrary<Verdict> = fc.oneof(
  fc.constantFrom<Verdict[]>({ type: 'ack' }, { type: 'ack', skipped: true }, { type: 'ack', expired: true }),
  fc.record({ type: fc.constantFrom('retry' as const, 'release' as const), far: fc.boolean() }),
  fc.record({ type: fc.constant('dead-letter' as const) }),
);
const member = fc.constantFrom(...SHARING);
const take = fc
  .tuple(member, fc.nat(1), fc.integer({ min: 1, max: 12 }))
  .map(([who, shard, max]) => new Receive(who, shard, max));
const settleSome = fc.tuple(somePicks, anyVerdict, fc.nat(1)).map(([some, how, by]) => new Settle(some, how, by));

export const consuming: Weighted = [
  [4, take],
  [5, settleSome],
  [1, somePicks.map((some) => new Renew('g', some))],
  [1, member.map((who) => new Start(who))],
  [2, fc.tuple(member, fc.nat(1)).map(([who, shard]) => new Reclaim(who, shard))],
];
