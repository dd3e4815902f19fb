// Commands of upkeep and operators: time, promote, trim, broadcast reading, redrive, purge.
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { BrokerModel } from './broker-model.js';
import { BrokerCommand } from './command.js';
import { GROUPS, type World } from './world.js';

export class Advance extends BrokerCommand {
  protected async act(model: BrokerModel, world: World): Promise<void> {
    model.advance();
    await world.hourglass.advance(world.topic);
  }

  toString(): string {
    return 'an hour passes';
  }
}

export class Promote extends BrokerCommand {
  constructor(private readonly shard: number) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const shard = this.shard % model.shape.shards;
    const expected = model.promote(shard);
    const { promoted, nextDueInMs } = await world.processes[1]!.broker.promote(world.topic, shard, { max: 1000 });
    expect(promoted).toBe(expected);
    expect(nextDueInMs !== undefined).toBe(model.isAnythingWaiting(shard));
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
    for (const [queue, log] of model.log.entries()) {
      const read = world.broadcast.read[queue]!;
      const ranks = read.map((id) => log.find((entry) => entry.id === id)!.rank);
      expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      expect(new Set(read).size).toBe(read.length);
      expect(read.length + world.broadcast.missed[queue]!).toBe(log.length);
    }
    const missed = world.broadcast.missed.reduce((sum, count) => sum + count, 0);
    expect(missed).toBeLessThanOrEqual(model.trimmed);
  }

  toString(): string {
    return 'read by broadcast';
  }
}

type Group = (typeof GROUPS)[number];

class Redrive extends BrokerCommand {
  constructor(
    private readonly group: Group,
    private readonly picks: readonly number[] | 'all',
    private readonly force: boolean,
  ) {
    super();
  }

  override check(model: Readonly<BrokerModel>): boolean {
    return model.groups.get(this.group)!.dead.length > 0;
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const group = model.groups.get(this.group)!;
    const ids = chosen(group.dead, this.picks);
    const expected = group.redrive(ids, this.force, model.step());
    const which = this.picks === 'all' ? { max: 1000 } : { messageIds: ids };
    const { admin } = world.processes[1]!;
    const redriven = await admin.redrive(world.topic, this.group, { ...which, force: this.force });
    expect(redriven.toSorted()).toEqual(expected.toSorted());
  }

  toString(): string {
    return `redrive(${this.group}, ${String(this.picks)}${this.force ? ', forced' : ''})`;
  }
}

class Purge extends BrokerCommand {
  constructor(
    private readonly group: Group,
    private readonly picks: readonly number[],
  ) {
    super();
  }

  override check(model: Readonly<BrokerModel>): boolean {
    return model.groups.get(this.group)!.dead.length > 0;
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const group = model.groups.get(this.group)!;
    const ids = [...chosen(group.dead, this.picks), 'nobody'];
    const expected = group.purge(ids);
    expect(await world.ports.admin.purgeDeadLetters(world.topic, this.group, ids)).toBe(expected);
  }

  toString(): string {
    return `purge(${this.group}, ${this.picks.join(' ')})`;
  }
}

export class ListDeadLetters extends BrokerCommand {
  constructor(private readonly group: Group) {
    super();
  }

  protected async act(model: BrokerModel, world: World): Promise<void> {
    const letters = await world.ports.admin.deadLetters(world.topic, this.group, { offset: 0, limit: 1000 });
    const seen = letters.map(({ messageId, state: { attempt, crashes, generation }, reason, message }) => {
      return { id: messageId, attempt, crashes, generation, reason, text: `${message.tag}/${message.body.toString()}` };
    });
    const expected = model.groups.get(this.group)!.dead.map(({ id, attempt, crashes, generation }) => {
      return { id, attempt, crashes, generation, reason: 'rejected', text: model.messages.get(id)!.text };
    });
    expect(seen.toSorted(byId)).toEqual(expected.toSorted(byId));
  }

  toString(): string {
    return `list the dead letters of ${this.group}`;
  }
}

const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id);

function chosen(dead: readonly { id: string }[], picks: readonly number[] | 'all'): string[] {
  if (picks === 'all') return dead.map(({ id }) => id);
  return [...new Set(picks.map((pick) => dead[pick % dead.length]!.id))];
}

const group = fc.constantFrom(...GROUPS);
const picks = fc.array(fc.nat(12), { minLength: 1, maxLength: 3 });

export const upkeep = [
  fc.constant(new Advance()),
  fc.nat(1).map((shard) => new Promote(shard)),
  fc.nat(1).map((shard) => new Promote(shard)),
  fc.constant(new Trim()),
  fc.constant(new ReadBroadcast()),
  fc
    .tuple(group, fc.oneof(fc.constant('all' as const), picks), fc.boolean())
    .map(([of, some, force]) => new Redrive(of, some, force)),
  fc.tuple(group, picks).map(([of, some]) => new Purge(of, some)),
  group.map((of) => new ListDeadLetters(of)),
];
