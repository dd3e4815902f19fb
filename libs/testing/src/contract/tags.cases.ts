import { expect } from '@jest/globals';
import { FIRST_DELIVERY, type Settlement } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import { bodies } from './outgoing.js';

const SKIP: Settlement = { type: 'ack', skipped: true };

export function tagsCases({ promise, scene }: ContractKit): void {
  promise('a message whose tag no member registered is skipped, also with members that take other tags', async () => {
    const stage = await scene();
    await stage.member('g', { tags: ['paid'], ports: await stage.process() });
    const member = await stage.member('g', { tags: ['created'] });
    await stage.send({ body: 'a', tag: 'closed' }, { body: 'b' });
    expect(await member.settle(await member.drain(), SKIP)).toEqual(['settled', 'settled']);
    expect(await stage.group('g')).toMatchObject({ skipped: 2, leased: 0 });
  });

  promise('a message whose tag another member registered is not skipped: it stays ours, uncounted', async () => {
    const stage = await scene();
    const member = await stage.member('g', { tags: ['created'] });
    await stage.member('g', { tags: ['paid'], ports: await stage.process() });
    await stage.send({ body: 'a', tag: 'paid' });
    const delivery = await member.drainOne();
    expect(await member.settle([delivery], SKIP)).toEqual(['wanted']);
    expect(await stage.group('g')).toMatchObject({ skipped: 0, leased: 1 });
    expect(await member.settle([delivery], { type: 'release', delayMs: 0 })).toEqual(['settled']);
    expect(await member.drainOne()).toMatchObject({ state: FIRST_DELIVERY });
  });

  promise('a member that takes every tag also takes messages without one', async () => {
    const stage = await scene();
    const member = await stage.member('g', { tags: ['created'] });
    await stage.send({ body: 'a' }, { body: 'b', tag: 'other' });
    const deliveries = await member.drain();
    await stage.member('g', { tags: ['*'], ports: await stage.process() });
    expect(await member.settle(deliveries, SKIP)).toEqual(['wanted', 'wanted']);
  });

  promise('one call tells for each delivery whether it was settled, was refused or is not ours', async () => {
    const stage = await scene();
    const member = await stage.member('g', { tags: ['created'] });
    await stage.member('g', { tags: ['paid'] });
    const tags = ['paid', 'none', 'paid', 'none', 'created'];
    await stage.send(...tags.map((tag) => ({ body: tag, tag })));
    const [a, b, c, d, e] = await member.drain();
    const { broker } = member.ports;
    const items = [a, { ...b!, consumer: 'consumer-x' }, c, d].map((delivery) => ({
      delivery: delivery!,
      settlement: SKIP,
    }));
    const answers = await broker.settle([...items, { delivery: e!, settlement: { type: 'ack' } }]);
    expect(answers).toEqual(['wanted', 'lease-lost', 'wanted', 'settled', 'settled']);
    expect(await stage.group('g')).toMatchObject({ leased: 3, skipped: 1, done: 1 });
  });

  promise('tags stay registered when their member ends: it may only be restarting', async () => {
    const stage = await scene();
    const other = await stage.member('g', { tags: ['paid'], ports: await stage.process() });
    await other.ports.control.beat(other.subscription);
    await other.ports.control.leave(other.subscription);
    const member = await stage.member('g', { tags: ['created'] });
    await stage.send({ body: 'a', tag: 'paid' });
    expect(await member.settle(await member.drain(), SKIP)).toEqual(['wanted']);
  });

  promise('tags of one group say nothing about another group', async () => {
    const stage = await scene();
    await stage.member('one', { tags: ['*'] });
    const member = await stage.member('two', { tags: ['created'] });
    await stage.send({ body: 'a', tag: 'paid' });
    expect(await member.settle(await member.drain(), SKIP)).toEqual(['settled']);
  });

  promise('tags are registered in every shard', async () => {
    const stage = await scene({ shards: 3, queues: 3 });
    const member = await stage.member('g', { tags: ['created'] });
    await stage.member('g', { tags: ['paid'], ports: await stage.process() });
    await stage.send(...[0, 1, 2].map((queue) => ({ body: `${queue}`, tag: 'paid', orderingKey: stage.keyOf(queue) })));
    const deliveries = await member.drain();
    expect(bodies(deliveries)).toEqual(['0', '1', '2']);
    expect(await member.settle(deliveries, SKIP)).toEqual(['wanted', 'wanted', 'wanted']);
  });

  promise('a beat lists the live members with their tags, and all registered tags', async () => {
    const stage = await scene();
    const one = await stage.member('g', { tags: ['created', 'paid'] });
    const two = await stage.member('g', { tags: ['paid'], ports: await stage.process() });
    await one.ports.control.beat(one.subscription);
    const state = await two.ports.control.beat(two.subscription);
    const members = [
      { name: one.name, tags: ['created', 'paid'] },
      { name: two.name, tags: ['paid'] },
    ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(state).toEqual({ members, tags: ['created', 'paid'], pauses: [], limits: {} });
    expect(await stage.ports.admin.group(stage.topic, 'g')).toEqual(state);
  });

  promise('a member that leaves is not listed any more', async () => {
    const stage = await scene();
    const one = await stage.member('g', { tags: ['paid'] });
    const two = await stage.member('g', { tags: ['paid'] });
    await one.ports.control.beat(one.subscription);
    await two.ports.control.beat(two.subscription);
    await one.ports.control.leave(one.subscription);
    expect((await two.ports.control.beat(two.subscription)).members).toEqual([{ name: two.name, tags: ['paid'] }]);
  });

  promise('a group that is not declared has no state', async () => {
    const stage = await scene();
    expect(await stage.ports.admin.group(stage.topic, 'nobody')).toBeUndefined();
  });
}
