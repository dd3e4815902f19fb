// The end of a run: everything becomes ready, is received and acked; then each group has done all there was to do.
import { expect } from '@jest/globals';
import type { BrokerModel } from './broker-model.js';
import { compareStats } from './command.js';
import { Receive } from './consuming.js';
import { Advance, ListDeadLetters, Promote, ReadBroadcast, Trim } from './upkeep.js';
import { GROUPS, MEMBERS, type World } from './world.js';

export async function finish(model: BrokerModel, world: World): Promise<void> {
  await new Advance().run(model, world);
  for (let shard = 0; shard < model.shape.shards; shard++) await new Promote(shard).run(model, world);
  for (const member of MEMBERS) {
    for (let shard = 0; shard < model.shape.shards; shard++)
      while (model.groups.get(member.group)!.readyIn(shard, model.shape) > 0)
        await new Receive(member, shard, 50).run(model, world);
  }
  for (const group of GROUPS) await ackAll(model, world, group);
  await compareStats(model, world);
  // All is done, so much of it goes: what the broadcast reader has not read is a gap, or there.
  await new Trim().run(model, world);
  await new ReadBroadcast().run(model, world);
  for (const group of GROUPS) await new ListDeadLetters(group).run(model, world);
  for (const group of model.groups.values())
    expect(group.done + group.skipped + group.dead.length + group.purged).toBe(model.accepted - model.cancelled);
}

async function ackAll(model: BrokerModel, world: World, name: (typeof GROUPS)[number]): Promise<void> {
  const group = model.groups.get(name)!;
  const rank = model.step();
  const latest = new Map(group.handed.map((handOver, place) => [handOver.key, { handOver, place }]));
  const held = [...latest.values()].filter(({ handOver }) => group.isOwned(handOver));
  const items = held.map(({ place }) => {
    return { delivery: world.handed.get(name)![place]!, settlement: { type: 'ack' } as const };
  });
  const expected = held.map(({ handOver }) => group.settle(handOver, { type: 'ack', skipped: false }, rank));
  expect(await world.ports.broker.settle(items)).toEqual(expected);
}
