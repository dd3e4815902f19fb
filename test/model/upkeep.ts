// Time, and what loops of every process do: promote, trim, read by broadcast; and members that are not heard of any more.
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { allQueues, type BrokerModel } from './broker-model.js';
import { BrokerCommand, pass, type Weighted } from './command.js';
import { valid } from './owning.js';
import { HOUR_MS, LEASE_MS } from './shape.js';
import { OWNING, SHARING, type Member, type World } from './world.js';

/** Nobody renews meanwhile. */
export class Advance extends BrokerCommand {
  constructor(private readonly ms: number) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    await pass(model, world, this.ms);
  }

  toString(): string {
    return `${this.ms} ms pass`;
  }
}

/** A member is not heard of for longer than its lease; all others renew what they hold. */
class FallSilent extends BrokerCommand {
  constructor(private readonly member: Member) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    for (let step = 0; step < 3; step++) {
      for (const other of [...SHARING, ...OWNING]) if (other !== this.member) await this.renew(other, model, world);
      await pass(model, world, LEASE_MS * 0.4);
    }
  }

  toString(): string {
    return `${this.member.name} falls silent`;
  }

  private async renew(other: Member, model: BrokerModel, world: World): Promise<void> {
    if (other.group === 'o') {
      for (const [queue] of valid(model, world, other)) {
        model.ordered.acquire(other.name, queue);
        const lease = await world.acquire(other, queue);
        expect(lease?.epoch).toBe(model.ordered.owners[queue]!.epoch);
        world.leases.get(other.name)!.set(queue, lease!);
      }
      return;
    }
    const keys = model.concurrent.renewAll(other.name);
    const held = keys.map((key) => world.handed.g.findLast((delivery) => world.keyOf(delivery) === key)!);
    for (const key of keys) model.concurrent.renew({ key, owner: other.name, epoch: 0 });
    expect(await world.processes[other.process]!.broker.renew(held)).toHaveLength(held.length);
  }
}

export class Promote extends BrokerCommand {
  constructor(private readonly shard: number) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const shard = this.shard % model.shape.shards;
    const expected = model.promote(shard);
    const answer = await world.processes[1]!.broker.promote(world.topic, shard, { max: 1000 });
    expect(answer).toEqual({ promoted: expected, nextDueInMs: model.nextDueInMs(shard) });
  }

  toString(): string {
    return `promote(shard ${this.shard})`;
  }
}

/** Changes nothing that anybody can see; what it must not remove is missed by a later receive. */
export class Trim extends BrokerCommand {
  protected async act(model: BrokerModel, world: World): Promise<void> {
    model.trimmed += await world.ports.broker.trim(world.topic);
  }

  toString(): string {
    return 'trim';
  }
}

export class ReadBroadcast extends BrokerCommand {
  protected async act(model: BrokerModel, world: World): Promise<void> {
    await world.readBroadcast();
    for (const queue of allQueues(model.shape)) {
      const [log, read] = [model.log[queue]!, world.broadcast.read[queue]!];
      expect(read).toEqual(log.filter((id) => read.includes(id)));
      expect(read.length + world.broadcast.missed[queue]!).toBe(log.length);
    }
    const missed = world.broadcast.missed.reduce((sum, count) => sum + count, 0);
    expect(missed).toBeLessThanOrEqual(model.trimmed);
  }

  toString(): string {
    return 'read by broadcast';
  }
}

export const time: Weighted = [
  [2, fc.constantFrom(LEASE_MS / 2, LEASE_MS, HOUR_MS).map((ms) => new Advance(ms))],
  [2, fc.constantFrom(...SHARING, ...OWNING).map((who) => new FallSilent(who))],
  [3, fc.nat(1).map((shard) => new Promote(shard))],
];
export const trimming: Weighted = [
  [1, fc.constant(new Trim())],
  [1, fc.constant(new ReadBroadcast())],
];
