import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import { bodies, FAILED_TWICE } from './outgoing.js';

export function retryCases({ promise, scene }: ContractKit): void {
  promise('a retried message waits, then comes back to the group with the state that was stored', async () => {
    const stage = await scene();
    await stage.send({ body: 'a', tag: 't', orderingKey: 'k' });
    const member = await stage.member('g');
    const first = await member.drainOne();
    await member.settle([first], { type: 'retry', delayMs: 60, state: FAILED_TWICE });
    expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 0, retrying: 1 });
    await stage.promoteUntil(1);
    const second = await member.drainOne();
    expect(second).toMatchObject({ source: 'retry', group: 'g', state: FAILED_TWICE });
    expect({ ...second.message, meta: second.message.meta.toString() }).toEqual({
      ...first.message,
      meta: first.message.meta.toString(),
    });
    expect(await member.ack(second)).toEqual(['settled']);
    expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 0, retrying: 0, done: 1 });
  });

  promise('a retry is not ready before its time, and never early', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    const before = stage.subject.now();
    await member.settle(await member.drain(), { type: 'retry', delayMs: 120, state: FAILED_TWICE });
    await stage.promoteUntil(1);
    expect(stage.subject.now() - before).toBeGreaterThanOrEqual(118);
  });

  promise('a retry that is far away is not promoted, and promote says how long it will be', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    await member.settle(await member.drain(), { type: 'retry', delayMs: 60_000, state: FAILED_TWICE });
    const { promoted, nextDueInMs } = await stage.promote();
    expect(promoted).toBe(0);
    expect(nextDueInMs).toBeGreaterThan(50_000);
    expect(nextDueInMs).toBeLessThanOrEqual(60_000);
    expect(await member.drain()).toEqual([]);
  });

  promise('a retry concerns its own group only', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('one'), await stage.member('two')];
    await stage.send('a');
    await one.settle(await one.drain(), { type: 'retry', delayMs: 30, state: FAILED_TWICE });
    await two.ack(...(await two.drain()));
    await stage.promoteUntil(1);
    expect(await two.drain()).toEqual([]);
    expect(bodies(await one.drain())).toEqual(['a']);
  });

  promise('a retry may be taken by another member, and retried again', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('g'), await stage.member('g', { ports: await stage.process() })];
    await stage.send('a');
    await one.settle(await one.drain(), { type: 'retry', delayMs: 20, state: { ...FAILED_TWICE, attempt: 2 } });
    await stage.promoteUntil(1);
    await two.settle(await two.drain(), { type: 'retry', delayMs: 20, state: FAILED_TWICE });
    await stage.promoteUntil(1);
    expect((await one.drainOne()).state.attempt).toBe(3);
  });

  promise('retries become ready in the order of their due times', async () => {
    const stage = await scene();
    await stage.send('a', 'b', 'c');
    const member = await stage.member('g');
    const delays = [90, 30, 60];
    for (const [index, delivery] of (await member.drain()).entries()) {
      await member.settle([delivery], { type: 'retry', delayMs: delays[index]!, state: FAILED_TWICE });
    }
    await stage.subject.advance(120);
    await stage.promoteUntil(3);
    expect(bodies(await member.drain())).toEqual(['b', 'c', 'a']);
  });

  promise('a retry of 0 ms is ready after promote', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    await member.settle(await member.drain(), { type: 'retry', delayMs: 0, state: FAILED_TWICE });
    await stage.promote();
    expect((await member.drainOne()).state.attempt).toBe(3);
  });

  promise('the process that settles with a retry is told in how long it is due', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    const told: [string, number, number][] = [];
    stage.ports.broker.listen({ onScheduled: (...scheduled) => told.push(scheduled) });
    await member.settle(await member.drain(), { type: 'retry', delayMs: 500, state: FAILED_TWICE });
    expect(told).toEqual([[stage.topic, 0, expect.any(Number)]]);
    expect(told[0]![2]).toBeGreaterThan(300);
    expect(told[0]![2]).toBeLessThanOrEqual(502);
  });

  promise('a cancel does not reach a retry: the message was delivered', async () => {
    const stage = await scene();
    await stage.send({ idempotencyKey: 'k', body: 'a' });
    const member = await stage.member('g');
    await member.settle(await member.drain(), { type: 'retry', delayMs: 20, state: FAILED_TWICE });
    expect(await stage.ports.broker.cancel(stage.topic, { idempotencyKey: 'k' })).toBe('already-delivered');
    await stage.promoteUntil(1);
    expect(bodies(await member.drain())).toEqual(['a']);
  });
}
