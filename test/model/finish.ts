// The end of a run: everything becomes ready, is received and acked; then each group has done all there was to do.
import { expect } from '@jest/globals';
import { unfinished } from '../fault/checker/conservation.js';
import type { BrokerModel } from './broker-model.js';
import { pass } from './command.js';
import { Receive, Reclaim } from './consuming.js';
import { settle } from './hand-overs.js';
import { SettleHead } from './lane.js';
import { ListDeadLetters, ListParked, ResumeKey } from './operating.js';
import { Own, ReadQueues } from './owning.js';
import { HOUR_MS, TICK_MS } from './shape.js';
import { Advance, Promote, ReadBroadcast, Trim } from './upkeep.js';
import { OWNING, SHARING, type World } from './world.js';

export async function finish(model: BrokerModel, world: World): Promise<void> {
  for (const { messageId, routingKey } of model.halves) {
    await pass(model, world, TICK_MS);
    const expected = model.decide(messageId, 'committed');
    const answer = await world.ports.half!.commit(world.topic, { messageId, routingKey });
    expect({ messageId, state: answer.state }).toEqual({ messageId, state: expected });
  }
  // By now every lease has run out, and every queue is free.
  await new Advance(2 * HOUR_MS).run(model, world);
  for (let shard = 0; shard < model.shape.shards; shard++) await new Promote(shard).run(model, world);
  await finishConcurrent(model, world);
  await finishOrdered(model, world);
  // All is done, so much of it goes: what the broadcast reader has not read is a gap, or there.
  await new Trim().run(model, world);
  await new ReadBroadcast().run(model, world);
  await new ListDeadLetters('g').run(model, world);
  await new ListDeadLetters('o').run(model, world);
  expect(unfinished(await world.ports.admin.stats(world.topic))).toBe(0);
}

async function finishConcurrent(model: BrokerModel, world: World): Promise<void> {
  const [member] = SHARING;
  const { concurrent } = model;
  for (let shard = 0; shard < model.shape.shards; shard++) {
    await new Reclaim(member!, shard).run(model, world);
    while (concurrent.readyIn(shard) > 0) await new Receive(member!, shard, 50).run(model, world);
  }
  const held = [...concurrent.leased.keys()].map((key) => concurrent.handed.findLastIndex((one) => one.key === key));
  const items = held.map((place) => ({ place, verdict: { type: 'ack' } as const }));
  await settle(model, world, { group: 'g', process: member!.process }, items);
}

async function finishOrdered(model: BrokerModel, world: World): Promise<void> {
  const [left] = OWNING;
  const { ordered } = model;
  await new Own(left!, 'all').run(model, world);
  await new ListParked().run(model, world);
  for (const key of ['o1', 'o2']) await new ResumeKey(key).run(model, world);
  for (;;) {
    for (let shard = 0; shard < model.shape.shards; shard++) await new ReadQueues(left!, shard, 50).run(model, world);
    if (ordered.leased.size === 0) break;
    // One after the other: what is settled changes what else is held.
    while (ordered.leased.size > 0) {
      const [key] = ordered.leased.keys();
      const place = ordered.handed.findLastIndex((one) => one.key === key);
      await new SettleHead(ordered.handed.length - 1 - place, { type: 'ack' }, left!.process).run(model, world);
    }
  }
}
