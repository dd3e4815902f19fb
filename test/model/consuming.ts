// Commands of consumers: receive, start, settle, renew, die, take over.
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { BrokerModel } from './broker-model.js';
import { BrokerCommand } from './command.js';
import type { Verdict } from './group-model.js';
import { GROUPS, MEMBERS, settlementFor, type World } from './world.js';

type Member = (typeof MEMBERS)[number];

export class Receive extends BrokerCommand {
  constructor(
    private readonly member: Member,
    private readonly shard: number,
    private readonly max: number,
  ) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { name, group, process } = this.member;
    const shard = this.shard % model.shape.shards;
    const ready = model.groups.get(group)!;
    const { broker } = world.processes[process]!;
    const options = { max: this.max, waitMs: 0 };
    const before = ready.readyIn(shard, model.shape);
    let deliveries = await broker.receive(world.subscriptions.get(name)!, shard, options);
    // A reader may come up empty once between two of its streams.
    if (deliveries.length === 0) deliveries = await broker.receive(world.subscriptions.get(name)!, shard, options);
    expect(deliveries.length > 0).toBe(before > 0);
    for (const delivery of deliveries) {
      expect(delivery.consumer).toBe(name);
      const id = delivery.message.messageId;
      const message = ready.lease(world.streamOf(delivery), id, world.keyOf(delivery), name);
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

  /** All that it holds, under the latest hand-over of each. */
  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { name, group, process } = this.member;
    const started = new Set(model.groups.get(group)!.start(name));
    const latest = new Map(world.handed.get(group)!.map((delivery) => [world.keyOf(delivery), delivery]));
    const deliveries = [...latest].filter(([key]) => started.has(key)).map(([, delivery]) => delivery);
    await world.processes[process]!.broker.markStarted(deliveries);
  }

  toString(): string {
    return `start all handlers of ${this.member.name}`;
  }
}

class Die extends BrokerCommand {
  constructor(private readonly member: Member) {
    super();
  }

  override check(model: Readonly<BrokerModel>): boolean {
    return model.groups.get(this.member.group)!.holds(this.member.name);
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { name, group } = this.member;
    model.groups.get(group)!.expire(name);
    await world.hourglass.expire(world.topic, group, name);
  }

  toString(): string {
    return `the leases of ${this.member.name} run out`;
  }
}

class Reclaim extends BrokerCommand {
  constructor(
    private readonly member: Member,
    private readonly shard: number,
  ) {
    super();
  }

  override check(model: Readonly<BrokerModel>): boolean {
    return model.groups.get(this.member.group)!.isAnyExpired(this.shard % model.shape.shards);
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const { name, group, process } = this.member;
    const shard = this.shard % model.shape.shards;
    const expected = model.groups.get(group)!.reclaim(shard, name);
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

/** A member falls silent, with its handlers started or not, and the other one of its group takes its deliveries over. */
class TakeOver extends BrokerCommand {
  private readonly steps: readonly BrokerCommand[];

  constructor(
    private readonly from: Member,
    private readonly to: Member,
    private readonly isStarted: boolean,
  ) {
    super();
    const before = isStarted ? [new Start(from)] : [];
    this.steps = [...before, new Die(from), new Reclaim(to, 0), new Reclaim(to, 1)];
  }

  override check(model: Readonly<BrokerModel>): boolean {
    return model.groups.get(this.from.group)!.holds(this.from.name);
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    for (const step of this.steps) if (step.check(model)) await step.run(model, world);
  }

  toString(): string {
    return `${this.to.name} takes over from ${this.from.name}${this.isStarted ? ', whose handlers had started' : ''}`;
  }
}

/** Hand-overs by their place in the list, counted from the latest: also of those that are over. */
abstract class OnHandOvers extends BrokerCommand {
  constructor(
    protected readonly group: (typeof GROUPS)[number],
    protected readonly picks: readonly number[],
  ) {
    super();
  }

  override check(model: Readonly<BrokerModel>): boolean {
    return model.groups.get(this.group)!.handed.length > 0;
  }

  protected places(model: BrokerModel): number[] {
    const { handed } = model.groups.get(this.group)!;
    return this.picks.map((pick) => {
      const { key, owner } = handed[handed.length - 1 - (pick % handed.length)]!;
      // Who was given it twice knows the latest hand-over only.
      return handed.findLastIndex((later) => later.key === key && later.owner === owner);
    });
  }
}

class Settle extends OnHandOvers {
  constructor(
    group: (typeof GROUPS)[number],
    picks: readonly number[],
    private readonly verdict: Verdict,
    private readonly process: number,
  ) {
    super(group, picks);
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const rank = model.step();
    const group = model.groups.get(this.group)!;
    const places = this.places(model);
    const items = places.map((place) => {
      const delivery = world.handed.get(this.group)![place]!;
      return { delivery, settlement: settlementFor(this.verdict, delivery) };
    });
    const expected = places.map((place) => group.settle(group.handed[place]!, this.verdict, rank));
    const answers = await world.processes[this.process]!.broker.settle(items);
    expect({ places, answers }).toEqual({ places, answers: expected });
  }

  toString(): string {
    return `settle(${this.group}, ${this.picks.join(' ')}, ${JSON.stringify(this.verdict)}) by process ${this.process}`;
  }
}

class Renew extends OnHandOvers {
  protected async act(model: BrokerModel, world: World): Promise<void> {
    const places = [...new Set(this.places(model))];
    const group = model.groups.get(this.group)!;
    const deliveries = places.map((place) => world.handed.get(this.group)![place]!);
    const expected = places.filter((place) => group.renew(group.handed[place]!));
    const renewed = await world.ports.broker.renew(deliveries);
    const answers = places.filter((_, index) => renewed.includes(deliveries[index]!));
    expect({ places, answers }).toEqual({ places, answers: expected });
  }

  toString(): string {
    return `renew(${this.group}, ${this.picks.join(' ')})`;
  }
}

const member = fc.constantFrom(...MEMBERS);
const group = fc.constantFrom(...GROUPS);
const picks = fc.array(fc.nat(12), { minLength: 1, maxLength: 4 });
const verdict: fc.Arbitrary<Verdict> = fc.oneof(
  fc.record({ type: fc.constant('ack' as const), skipped: fc.boolean() }),
  fc.record({ type: fc.constantFrom('retry' as const, 'release' as const), far: fc.boolean() }),
  fc.record({ type: fc.constant('dead-letter' as const) }),
);
const receive = fc.tuple(member, fc.nat(1), fc.integer({ min: 1, max: 12 }));

const take = receive.map(([who, shard, max]) => new Receive(who, shard, max));
const settle = fc.tuple(group, picks, verdict, fc.nat(1)).map(([of, some, how, by]) => new Settle(of, some, how, by));
const [one, two] = MEMBERS;

/** What stands here twice is done twice as often. */
export const consuming = [
  take,
  take,
  take,
  settle,
  settle,
  settle,
  settle,
  fc.tuple(group, picks).map(([of, some]) => new Renew(of, some)),
  member.map((who) => new Start(who)),
  member.map((who) => new Die(who)),
  fc.tuple(member, fc.nat(1)).map(([who, shard]) => new Reclaim(who, shard)),
  fc.boolean().map((isStarted) => new TakeOver(one, two, isStarted)),
  fc.boolean().map((isStarted) => new TakeOver(two, one, isStarted)),
];
