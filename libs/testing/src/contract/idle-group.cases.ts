import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';

export function idleGroupCases({ promise, scene }: ContractKit): void {
  promise('a group without a live member is told of once, by one process, until it lives again', async () => {
    const stage = await scene();
    await stage.member('g', { tags: ['*'] });
    const other = await stage.process();
    const check = (ports = stage.ports) => ports.control.checkIdle(stage.topic, { idleAfterMs: 400 });
    expect(await check()).toEqual({ idle: [], expired: [] });
    await stage.subject.advance(450);
    const told = [await check(), await check(other), await check()];
    expect(told.map(({ idle }) => idle.length)).toEqual([1, 0, 0]);
    expect(told[0]!.idle[0]).toMatchObject({ group: 'g' });
    expect(told[0]!.idle[0]!.idleMs).toBeGreaterThanOrEqual(400);
    const { subscription } = await stage.member('g', { tags: ['*'], ports: other });
    await other.control.beat(subscription);
    expect(await check()).toEqual({ idle: [], expired: [] });
    await stage.subject.advance(450);
    expect((await check()).idle).toHaveLength(1);
  });

  promise('an idle group keeps what it has not read, unless the topic says that it expires', async () => {
    const stage = await scene({ retention: 0 });
    await stage.member('g', { tags: ['*'] });
    await stage.send('a', 'b');
    await stage.subject.advance(60);
    expect((await stage.ports.control.checkIdle(stage.topic, { idleAfterMs: 50 })).expired).toEqual([]);
    expect(await stage.ports.broker.trim(stage.topic)).toBe(0);
    expect(await stage.group('g')).toMatchObject({ ready: 2 });
  });

  promise('a group that expires is gone with all it has, and other groups lose nothing', async () => {
    const stage = await scene({ shards: 2, queues: 2 });
    const gone = await stage.member('gone', { tags: ['*'] });
    const stays = await stage.member('stays', { tags: ['*'] });
    await stage.send(...[0, 1].map((queue) => ({ body: `${queue}`, orderingKey: stage.keyOf(queue) })));
    await stage.bury(gone);
    await stage.subject.advance(60);
    await stage.member('stays', { tags: ['*'] });
    const rule = { idleAfterMs: 50, expireAfterMs: 55 };
    expect((await stage.ports.control.checkIdle(stage.topic, rule)).expired).toEqual(['gone']);
    expect((await stage.ports.admin.stats(stage.topic)).groups.map(({ group }) => group)).toEqual(['stays']);
    expect(await stays.drain()).toHaveLength(2);
    expect(
      (await stage.ports.control.checkIdle(stage.topic, { idleAfterMs: 60_000, expireAfterMs: 60_000 })).expired,
    ).toEqual([]);
    const anew = await stage.member('gone', { tags: ['*'] });
    expect(await stage.group('gone')).toMatchObject({ dead: 0, done: 0 });
    expect(await anew.drain()).toHaveLength(2);
  });

  promise('a group with a live member neither is told of nor expires', async () => {
    const stage = await scene();
    const member = await stage.member('g', { tags: ['*'] });
    await member.ports.control.beat(member.subscription);
    const rule = { idleAfterMs: 5000, expireAfterMs: 5000 };
    expect(await stage.ports.control.checkIdle(stage.topic, rule)).toEqual({ idle: [], expired: [] });
  });
}
