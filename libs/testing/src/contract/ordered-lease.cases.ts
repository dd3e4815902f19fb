import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import type { MemberOptions } from './scene.js';

const ORDERED: MemberOptions = { mode: 'ordered' };
const SHORT: MemberOptions = { mode: 'ordered', leaseMs: 300 };

export function orderedLeaseCases({ promise: register, scene }: ContractKit): void {
  const promise = (name: string, body: () => Promise<void>): void => register(name, body, 'orderedMode');

  promise('a free queue can be taken, and the lease names its holder', async () => {
    const stage = await scene({ queues: 2 });
    const member = await stage.member('g', ORDERED);
    const lease = await member.acquire(1);
    expect(lease).toMatchObject({ topic: stage.topic, group: 'g', shard: 0, queue: 1, member: member.name });
    expect(lease!.epoch).toBeGreaterThan(0);
  });

  promise('a queue that is held cannot be taken by another member', async () => {
    const stage = await scene({ queues: 2 });
    const [one, two] = [await stage.member('g', ORDERED), await stage.member('g', ORDERED)];
    await one.own(0);
    expect(await two.acquire(0)).toBeUndefined();
    expect(await two.acquire(1)).toBeDefined();
  });

  promise('of many members that ask at once one gets the queue', async () => {
    const stage = await scene();
    const members = await Promise.all(Array.from({ length: 8 }, () => stage.member('g', ORDERED)));
    const leases = await Promise.all(members.map((member) => member.acquire(0)));
    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  promise('the holder prolongs its lease and keeps its epoch', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('g', SHORT), await stage.member('g', SHORT)];
    const first = await one.acquire(0);
    for (let round = 0; round < 3; round++) {
      await stage.subject.advance(150);
      const again = await one.acquire(0);
      expect(again!.epoch).toBe(first!.epoch);
      expect(again!.until).toBeGreaterThan(first!.until);
    }
    expect(await two.acquire(0)).toBeUndefined();
  });

  promise('after a release the queue is free at once, and the next owner has a higher epoch', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('g', ORDERED), await stage.member('g', ORDERED)];
    const first = await one.acquire(0);
    await one.ports.leases.release(first!);
    const second = await two.acquire(0);
    expect(second!.epoch).toBeGreaterThan(first!.epoch);
  });

  promise('a lease that runs out can be taken by another member, with a higher epoch', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('g', SHORT), await stage.member('g', SHORT)];
    const first = await one.acquire(0);
    await one.expireLeases();
    const second = await two.acquire(0);
    expect(second!.epoch).toBeGreaterThan(first!.epoch);
    expect(await one.acquire(0)).toBeUndefined();
  });

  promise('renewing a delivery does not prolong the lease of its queue: that is up to its owner', async () => {
    const stage = await scene();
    await stage.send('a');
    const [one, two] = [await stage.member('g', SHORT), await stage.member('g', SHORT)];
    const delivery = await (await one.own(0)).drainOne();
    await stage.subject.advance(180);
    expect(await one.ports.broker.renew([delivery])).toEqual([delivery]);
    await stage.subject.advance(180);
    expect(await two.acquire(0)).toBeDefined();
  });

  promise('a former holder cannot release the lease of the new one', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('g', ORDERED), await stage.member('g', ORDERED)];
    const first = await one.acquire(0);
    await one.ports.leases.release(first!);
    await two.own(0);
    await one.ports.leases.release(first!);
    expect(await one.acquire(0)).toBeUndefined();
  });

  promise('queues of different groups and of different shards have leases of their own', async () => {
    const stage = await scene({ queues: 2, shards: 2 });
    const [one, two] = [await stage.member('one', ORDERED), await stage.member('two', ORDERED)];
    expect(await one.acquire(0, 0)).toMatchObject({ shard: 0 });
    expect(await one.acquire(0, 1)).toMatchObject({ shard: 1 });
    expect(await two.acquire(0, 0)).toMatchObject({ group: 'two', shard: 0 });
  });

  promise('every member sees all live members, sorted', async () => {
    const stage = await scene();
    const [one, two] = [
      await stage.member('g', ORDERED),
      await stage.member('g', { ...ORDERED, ports: await stage.process() }),
    ];
    await two.ports.leases.join(two.subscription, 'b');
    await one.ports.leases.join(one.subscription, 'c');
    expect(await one.ports.leases.join(one.subscription, 'a')).toEqual(['a', 'b', 'c']);
    expect(await two.ports.leases.join(two.subscription, 'b')).toEqual(['a', 'b', 'c']);
  });

  promise('a member that leaves is not listed any more', async () => {
    const stage = await scene();
    const member = await stage.member('g', ORDERED);
    await member.ports.leases.join(member.subscription, 'a');
    await member.ports.leases.join(member.subscription, 'b');
    await member.ports.leases.leave(member.subscription, 'a');
    expect(await member.ports.leases.join(member.subscription, 'b')).toEqual(['b']);
  });

  register(
    'a member that falls silent is not listed any more after 3 leases at the latest',
    async () => {
      const stage = await scene();
      const member = await stage.member('g', SHORT);
      await member.ports.leases.join(member.subscription, 'silent');
      const alone = async (): Promise<boolean> =>
        (await member.ports.leases.join(member.subscription, 'alive')).join() === 'alive';
      await stage.eventually('the silent member is gone', alone, { withinMs: 950, everyMs: 50 });
    },
    'memberSilence',
  );
}
