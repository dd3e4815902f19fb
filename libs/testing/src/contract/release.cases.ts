import { expect } from '@jest/globals';
import { FIRST_DELIVERY } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import { bodies, FAILED_TWICE } from './outgoing.js';

export function releaseCases({ promise, scene }: ContractKit): void {
  promise('a released message is at once ready for any member, and nothing is counted', async () => {
    const stage = await scene();
    await stage.send('a');
    const [one, two] = [await stage.member('g'), await stage.member('g', { ports: await stage.process() })];
    const delivery = await one.drainOne();
    expect(await one.settle([delivery], { type: 'release', delayMs: 0 })).toEqual(['settled']);
    const again = await two.drainOne();
    expect(again).toMatchObject({ source: 'retry', state: FIRST_DELIVERY });
    expect(again.message.messageId).toBe(delivery.message.messageId);
  });

  promise('a release with a delay waits for it', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    const before = stage.subject.now();
    await member.settle(await member.drain(), { type: 'release', delayMs: 80 });
    expect(await stage.group('g')).toMatchObject({ leased: 0, retrying: 1 });
    await stage.promoteUntil(1);
    expect(stage.subject.now() - before).toBeGreaterThanOrEqual(78);
    expect((await member.drainOne()).state).toEqual(FIRST_DELIVERY);
  });

  promise('a release keeps attempt, crashes, generation and history of a retried message', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    const state = { ...FAILED_TWICE, generation: 2 };
    await member.settle(await member.drain(), { type: 'retry', delayMs: 0, state });
    await stage.promote();
    await member.settle(await member.drain(), { type: 'release', delayMs: 0 });
    expect((await member.drainOne()).state).toEqual(state);
  });

  promise('a release keeps the crashes that a reclaim has counted, and is no crash itself', async () => {
    const stage = await scene();
    await stage.send('a');
    const [one, two] = [await stage.member('g', { leaseMs: 300 }), await stage.member('g')];
    await one.ports.broker.markStarted(await one.drain());
    await one.expireLeases();
    const [reclaimed] = await two.reclaim();
    await two.ports.broker.markStarted([reclaimed!]);
    await two.settle([reclaimed!], { type: 'release', delayMs: 0 });
    expect((await two.drainOne()).state).toMatchObject({ attempt: 1, crashes: 1 });
  });

  promise('a release concerns its own group only', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('one'), await stage.member('two')];
    await stage.send('a');
    await two.ack(...(await two.drain()));
    await one.settle(await one.drain(), { type: 'release', delayMs: 0 });
    expect(await two.drain()).toEqual([]);
    expect(bodies(await one.drain())).toEqual(['a']);
  });

  promise('what is handed back can be handed back again', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    for (let round = 0; round < 5; round++) {
      await member.settle([await member.drainOne()], { type: 'release', delayMs: 0 });
    }
    expect(await member.ack(await member.drainOne())).toEqual(['settled']);
    expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 0, retrying: 0, done: 1 });
  });
}
