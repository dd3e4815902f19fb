import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import { bodies } from './outgoing.js';

const HOUR = 3_600_000;

export function delayCases({ promise, scene }: ContractKit): void {
  promise('a scheduled message is not ready before it is due, and promote says how long that will be', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    await stage.send({ body: 'later', due: { delayMs: HOUR } });
    const { promoted, nextDueInMs } = await stage.promote();
    expect(promoted).toBe(0);
    expect(nextDueInMs).toBeGreaterThan(HOUR - 60_000);
    expect(nextDueInMs).toBeLessThanOrEqual(HOUR);
    expect(await member.drain()).toEqual([]);
  });

  promise('promote makes a due message ready for every group, once, and never early', async () => {
    const stage = await scene();
    const members = [await stage.member('a'), await stage.member('b')];
    const [receipt] = await stage.send({ body: 'later', due: { delayMs: 120 } });
    await stage.promoteUntil(1);
    // The clocks of test and broker may differ by the rounding of a ms.
    expect(stage.subject.now() + 2).toBeGreaterThanOrEqual(receipt!.dueAt!.getTime());
    for (const member of members) expect(bodies(await member.drain())).toEqual(['later']);
    expect(await stage.promote()).toEqual({ promoted: 0, nextDueInMs: undefined });
  });

  promise('with nothing scheduled promote says so', async () => {
    expect(await (await scene()).promote()).toEqual({ promoted: 0, nextDueInMs: undefined });
  });

  promise('the receipt of a scheduled message says when it is due by the broker clock', async () => {
    const stage = await scene();
    const before = stage.subject.now();
    const atMs = before + HOUR;
    const [delayed, dated] = await stage.send({ due: { delayMs: HOUR } }, { due: { atMs } });
    expect(delayed!.state).toBe('scheduled');
    expect(Math.abs(delayed!.dueAt!.getTime() - atMs)).toBeLessThan(1000);
    expect(dated!.dueAt!.getTime()).toBe(atMs);
  });

  promise('a delay of 0 and an instant in the past mean now', async () => {
    const stage = await scene();
    const receipts = await stage.send({ body: 'a', due: { delayMs: 0 } }, { body: 'b', due: { atMs: 1 } });
    expect(receipts.map(({ state, dueAt }) => ({ state, dueAt }))).toEqual([
      { state: 'accepted' },
      { state: 'accepted' },
    ]);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a', 'b']);
  });

  promise('messages become ready in the order of their due times', async () => {
    const stage = await scene();
    const now = stage.subject.now();
    await stage.send(
      { body: '3', due: { atMs: now + 90 } },
      { body: '1', due: { atMs: now + 50 } },
      { body: '2', due: { atMs: now + 70 } },
    );
    await stage.subject.advance(120);
    await stage.promoteUntil(3);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['1', '2', '3']);
  });

  promise('messages that are due at the same instant become ready in the order they were sent', async () => {
    const stage = await scene();
    // Far enough ahead that the last one is sent before it, however busy the machine is.
    const due = { atMs: stage.subject.now() + 400 };
    const sent = Array.from({ length: 20 }, (_, number) => `${number}`);
    for (const body of sent) await stage.send({ body, due });
    await stage.subject.advance(420);
    await stage.promoteUntil(20);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(sent);
  });

  promise('promote moves no more than it is asked for, the earliest first, and says that more is due', async () => {
    const stage = await scene();
    const now = stage.subject.now();
    const sent = Array.from({ length: 12 }, (_, number) => `${number}`);
    await stage.send(...sent.map((body, number) => ({ body, due: { atMs: now + 40 + number } })).toReversed());
    await stage.subject.advance(100);
    const first = await stage.promote(5);
    expect(first.promoted).toBeGreaterThan(0);
    expect(first.promoted).toBeLessThanOrEqual(5);
    expect(first.nextDueInMs).toBe(0);
    await stage.promoteUntil(12 - first.promoted);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(sent);
  });

  promise('two processes that promote at once make each message ready once', async () => {
    const stage = await scene();
    const other = await stage.process();
    const sent = Array.from({ length: 50 }, (_, number) => `${number}`);
    await stage.send(...sent.map((body) => ({ body, due: { delayMs: 40 } })));
    await stage.subject.advance(60);
    const promoted = await Promise.all(
      Array.from({ length: 10 }, (_, number) => stage.promote(10, number % 2 === 0 ? stage.ports : other)),
    );
    const total = promoted.reduce((sum, answer) => sum + answer.promoted, 0);
    await stage.promoteUntil(50 - total);
    expect(bodies(await (await stage.member('g')).drain()).toSorted()).toEqual(sent.toSorted());
  });

  promise('the process that schedules a message is told in how long it is due', async () => {
    const stage = await scene();
    const told: [string, number, number][] = [];
    stage.ports.broker.listen({ onScheduled: (...scheduled) => told.push(scheduled) });
    await stage.send('now', { body: 'later', due: { delayMs: 500 } });
    expect(told).toEqual([[stage.topic, 0, expect.any(Number)]]);
    expect(told[0]![2]).toBeGreaterThan(300);
    expect(told[0]![2]).toBeLessThanOrEqual(502);
  });

  promise('a message keeps its queue, tag and keys while it is scheduled', async () => {
    const stage = await scene({ queues: 4 });
    const [receipt] = await stage.send({ body: 'a', tag: 't', orderingKey: 'k', due: { delayMs: 30 } });
    await stage.promoteUntil(1);
    const delivery = await (await stage.member('g')).drainOne();
    expect(delivery).toMatchObject({ queue: receipt!.queue, source: 'queue' });
    expect(delivery.message).toMatchObject({ messageId: receipt!.messageId, tag: 't', orderingKey: 'k' });
  });
}
