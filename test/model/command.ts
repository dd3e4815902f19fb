// What all commands of the model share.
import { expect } from '@jest/globals';
import type { AsyncCommand } from 'fast-check';
import type { BrokerModel } from './broker-model.js';
import { GROUPS, type World } from './world.js';

export abstract class BrokerCommand implements AsyncCommand<BrokerModel, World> {
  check(_model: Readonly<BrokerModel>): boolean {
    return true;
  }

  /** Does it on both sides, and compares the answers. */
  protected abstract act(model: BrokerModel, world: World): Promise<void>;

  async run(model: BrokerModel, world: World): Promise<void> {
    await this.act(model, world);
    await compareStats(model, world);
  }

  /** What it was told, for the report of a failing run. */
  abstract toString(): string;
}

/** I10: every message is in exactly one state of each group, and the counts say so. */
export async function compareStats(model: BrokerModel, world: World): Promise<void> {
  const { accepted, cancelled, scheduled, groups } = await world.ports.admin.stats(world.topic);
  const seen = groups.map(({ group, ready, leased, retrying, dead, done, skipped }) => {
    return { group, ready, leased, retrying, dead, done, skipped };
  });
  const expected = GROUPS.map((name) => {
    const group = model.groups.get(name)!;
    const { ready, retrying, dead, done, skipped } = group;
    return {
      group: name,
      ready,
      leased: group.leased.size,
      retrying: retrying.length,
      dead: dead.length,
      done,
      skipped,
    };
  });
  expect({ accepted, cancelled, scheduled, groups: seen.toSorted((a, b) => a.group.localeCompare(b.group)) }).toEqual({
    accepted: model.accepted,
    cancelled: model.cancelled,
    scheduled: model.scheduled,
    groups: expected,
  });
}
