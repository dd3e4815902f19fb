// What all commands of the model share.
import { expect } from '@jest/globals';
import type { Arbitrary, AsyncCommand } from 'fast-check';
import { leaks } from '../fault/checker/conservation.js';
import type { BrokerModel } from './broker-model.js';
import { TICK_MS } from './shape.js';
import type { World } from './world.js';

export abstract class BrokerCommand implements AsyncCommand<BrokerModel, World> {
  check(_model: Readonly<BrokerModel>): boolean {
    return true;
  }

  /** Does it on both sides, and compares the answers. */
  protected abstract act(model: BrokerModel, world: World): Promise<void>;

  async run(model: BrokerModel, world: World): Promise<void> {
    await pass(model, world, TICK_MS);
    await this.act(model, world);
    await compareStats(model, world);
  }

  /** What it was told, for the report of a failing run. */
  abstract toString(): string;
}

/** How often each is told, compared with the others. */
export type Weighted = readonly (readonly [weight: number, of: Arbitrary<BrokerCommand>])[];

/** Time goes by on both sides. */
export async function pass(model: BrokerModel, world: World, ms: number): Promise<void> {
  model.steps.now += ms;
  await world.advance(ms);
}

/** I10: every message is in exactly one state of each group, and the counts say so; and who is paused. */
export async function compareStats(model: BrokerModel, world: World): Promise<void> {
  const stats = await world.ports.admin.stats(world.topic);
  const { accepted, cancelled, scheduled, half, rolledBack } = stats;
  const halves = [...model.messages.values()].filter((message) => message.half).length;
  expect({ accepted, cancelled, scheduled, half, rolledBack }).toEqual({
    accepted: model.accepted,
    cancelled: model.cancelled,
    scheduled: model.scheduled,
    half: halves,
    rolledBack: model.rolledBack,
  });
  for (const group of model.groups) {
    const { name, done, skipped, expired, dropped, purged } = group;
    const counts = { done, skipped, expired, dropped, purged, dead: group.dead.length, ...group.counts() };
    const seen = stats.groups.find((row) => row.group === name);
    expect(seen).toMatchObject({ group: name, ...counts });
    const { scope, until } = seen!.paused ?? {};
    expect({ scope, until: until?.getTime() }).toEqual(pausedOf(model, name as 'g' | 'o'));
  }
  expect(leaks(stats)).toEqual([]);
}

/** A pause of the group is shown before one of the topic. */
function pausedOf(model: BrokerModel, group: 'g' | 'o'): { scope?: string; until?: number } {
  const own = model.pauseOf(group);
  const pause = own ?? model.pauseOf('topic');
  return { scope: own ? 'group' : pause && 'topic', until: pause?.until };
}
