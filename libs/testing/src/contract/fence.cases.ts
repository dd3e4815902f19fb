import { expect } from '@jest/globals';
import type { Delivery } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import { FAILED_TWICE } from './outgoing.js';
import type { MemberOptions } from './scene.js';

const LEASE = { leaseMs: 300 };

export function fenceCases({ promise, scene }: ContractKit): void {
  promise('the fence of a message grows with each take-over', async () => {
    const stage = await scene();
    await stage.send('a');
    const one = await stage.member('g', LEASE);
    const two = await stage.member('g', { ...LEASE, ports: await stage.process() });
    const first = await one.drainOne();
    await one.ports.broker.markStarted([first]);
    await one.expireLeases();
    const [second] = await two.reclaim();
    await two.ports.broker.markStarted([second!]);
    await two.expireLeases();
    const [third] = await one.reclaim();
    grows(first, second!, third!);
  });

  promise('the fence of a message grows over retry, release, take-over and redrive', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g', LEASE);
    const first = await member.drainOne();
    await member.settle([first], { type: 'retry', delayMs: 0, state: FAILED_TWICE });
    const second = await member.drainOne();
    await member.settle([second], { type: 'release', delayMs: 0 });
    const third = await member.drainOne();
    await member.expireLeases();
    const [fourth] = await member.reclaim();
    await member.settle([fourth!], { type: 'retry', delayMs: 10, state: FAILED_TWICE });
    await stage.promoteUntil(1);
    const fifth = await member.drainOne();
    await member.settle([fifth], { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
    await stage.ports.admin.redrive(stage.topic, 'g', { max: 1 });
    grows(first, second, third, fourth!, fifth, await member.drainOne());
  });

  promise(
    'the fence of a message grows when a queue gets a new owner',
    async () => {
      const stage = await scene();
      const ORDERED: MemberOptions = { mode: 'ordered', ...LEASE };
      await stage.send({ body: 'a', orderingKey: 'k' });
      const one = await (await stage.member('g', ORDERED)).own(0);
      const first = await one.drainOne();
      await one.ports.broker.markStarted([first]);
      await one.giveUp();
      const two = await (await stage.member('g', { ...ORDERED, ports: await stage.process() })).own(0);
      const second = await two.drainOne();
      await two.ports.broker.markStarted([second]);
      await two.expireLeases();
      const third = await (await (await stage.member('g', ORDERED)).own(0)).drainOne();
      grows(first, second, third);
    },
    'orderedMode',
  );

  promise(
    'a delivery says when its message first became ready, also after retries; a redrive begins anew',
    async () => {
      const stage = await scene();
      const before = stage.subject.now();
      await stage.send('a');
      const sent = stage.subject.now();
      const member = await stage.member('g');
      const first = await member.drainOne();
      expect(first.readyAt).toBeGreaterThanOrEqual(before - 5);
      expect(first.readyAt).toBeLessThanOrEqual(sent + 5);
      await stage.subject.advance(50);
      await member.settle([first], { type: 'retry', delayMs: 20, state: FAILED_TWICE });
      await stage.promoteUntil(1);
      const second = await member.drainOne();
      expect(second.readyAt).toBe(first.readyAt);
      await member.settle([second], { type: 'release', delayMs: 0 });
      const third = await member.drainOne();
      expect(third.readyAt).toBe(first.readyAt);
      await member.settle([third], { type: 'dead-letter', reason: 'expired', state: FAILED_TWICE });
      await stage.ports.admin.redrive(stage.topic, 'g', { max: 1 });
      expect((await member.drainOne()).readyAt).toBeGreaterThanOrEqual(first.readyAt + 50);
    },
  );
}

function grows(...deliveries: readonly Delivery[]): void {
  const fences = deliveries.map(({ fence }) => fence);
  expect(fences.every((fence) => Number.isSafeInteger(fence))).toBe(true);
  expect(fences).toEqual([...new Set(fences)].toSorted((a, b) => a - b));
}
