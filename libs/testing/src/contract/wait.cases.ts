import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import { bodies } from './outgoing.js';

/** Longer than any case may take: a case that ends was woken. */
const LONG = { waitMs: 60_000 };

export function waitCases({ promise, scene }: ContractKit): void {
  promise('a waiting receive is woken by a message that another process sends', async () => {
    const stage = await scene({ queues: 4 });
    const member = await stage.member('g');
    const other = await stage.process();
    const waiting = member.receive(LONG);
    await stage.subject.advance(20);
    await stage.sendFrom(other, 'a');
    expect(bodies(await waiting)).toEqual(['a']);
  });

  promise('a waiting receive is woken by a message that becomes due', async () => {
    const stage = await scene();
    const waiting = (await stage.member('g')).receive(LONG);
    await stage.send({ body: 'a', due: { delayMs: 40 } });
    await stage.promoteUntil(1);
    expect(bodies(await waiting)).toEqual(['a']);
  });

  promise('a waiting receive is woken by a message that another member hands back', async () => {
    const stage = await scene();
    const [holder, waiter] = [await stage.member('g'), await stage.member('g', { ports: await stage.process() })];
    await stage.send('a');
    const delivery = await holder.drainOne();
    const waiting = waiter.receive(LONG);
    await stage.subject.advance(20);
    await holder.settle([delivery], { type: 'release', delayMs: 0 });
    expect(bodies(await waiting)).toEqual(['a']);
  });

  promise('a waiting receive is woken by a redriven dead letter', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    await stage.send('a');
    await stage.bury(member);
    const waiting = member.receive(LONG);
    await stage.subject.advance(20);
    await (await stage.process()).admin.redrive(stage.topic, 'g', { max: 1 });
    expect(bodies(await waiting)).toEqual(['a']);
  });

  promise('of several waiting members one gets the message', async () => {
    const stage = await scene();
    const ending = new AbortController();
    const members = [await stage.member('g'), await stage.member('g', { ports: await stage.process() })];
    const waiting = members.map((member) => member.receive({ ...LONG, signal: ending.signal }));
    await stage.send('a');
    await Promise.race(waiting);
    ending.abort();
    expect(bodies((await Promise.all(waiting)).flat())).toEqual(['a']);
  });

  promise('a receive that waits in vain returns nothing when its time is over', async () => {
    const stage = await scene();
    const before = stage.subject.now();
    const waiting = (await stage.member('g')).receive({ waitMs: 100 });
    await stage.subject.advance(120);
    expect(await waiting).toEqual([]);
    expect(stage.subject.now() - before).toBeGreaterThanOrEqual(95);
  });

  promise('a receive that does not wait returns nothing at once', async () => {
    expect(await (await (await scene()).member('g')).receive({ waitMs: 0 })).toEqual([]);
  });

  promise('aborting ends a wait, and what comes later is left for the next receive', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    const ending = new AbortController();
    const waiting = member.receive({ ...LONG, signal: ending.signal });
    await stage.subject.advance(20);
    ending.abort();
    expect(await waiting).toEqual([]);
    await stage.send('a');
    expect(bodies(await member.drain())).toEqual(['a']);
  });

  promise('aborting the first receive of a process as soon as it began does not harm the next one', async () => {
    const stage = await scene();
    const member = await stage.member('g', { ports: await stage.process() });
    const ending = new AbortController();
    const waiting = member.receive({ ...LONG, signal: ending.signal });
    ending.abort();
    expect(await waiting).toEqual([]);
    await stage.send('a');
    expect(bodies(await member.drain())).toEqual(['a']);
  });

  promise('a receive whose signal was aborted before does not wait', async () => {
    const member = await (await scene()).member('g');
    expect(await member.receive({ ...LONG, signal: AbortSignal.abort() })).toEqual([]);
  });

  promise('a message that arrives while a wait is aborted is returned or left ready, never lost', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    for (let round = 0; round < 10; round++) {
      const ending = new AbortController();
      const waiting = member.receive({ ...LONG, signal: ending.signal });
      await stage.subject.advance(1);
      const sending = stage.send(`${round}`);
      ending.abort();
      await sending;
      const received = [...(await waiting), ...(await member.drain())];
      expect(bodies(received)).toEqual([`${round}`]);
    }
  });

  promise('close ends a wait', async () => {
    const stage = await scene();
    const ports = await stage.process();
    const waiting = (await stage.member('g', { ports })).receive(LONG);
    await stage.subject.advance(20);
    await ports.broker.close();
    expect(await waiting).toEqual([]);
  });
}
