import { expect } from '@jest/globals';
import { newMessageId } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import { bodies } from './outgoing.js';

const HOUR = { delayMs: 3_600_000 };

export function cancelCases({ promise, scene }: ContractKit): void {
  promise('a scheduled message that was cancelled by its id is never delivered', async () => {
    const stage = await scene();
    const [receipt] = await stage.send({ body: 'a', due: { delayMs: 50 } });
    expect(await stage.ports.broker.cancel(stage.topic, { messageId: receipt!.messageId })).toBe('cancelled');
    await stage.subject.advance(80);
    expect(await stage.promote()).toEqual({ promoted: 0, nextDueInMs: undefined });
    expect(await (await stage.member('g')).drain()).toEqual([]);
  });

  promise('any process can cancel by idempotency key', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    await stage.send({ idempotencyKey: 'k', due: HOUR });
    const other = await stage.process();
    expect(await other.broker.cancel(stage.topic, { idempotencyKey: 'k' })).toBe('cancelled');
    expect(await stage.promote()).toEqual({ promoted: 0, nextDueInMs: undefined });
  });

  promise('an idempotency key under an ordering key is cancelled by both together only', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    await stage.send({ idempotencyKey: 'k', orderingKey: 'x', due: HOUR });
    const cancel = (orderingKey?: string) =>
      stage.ports.broker.cancel(stage.topic, { idempotencyKey: 'k', orderingKey });
    expect(await cancel()).toBe('not-found');
    expect(await cancel('y')).toBe('not-found');
    expect(await cancel('x')).toBe('cancelled');
  });

  promise('an id is found wherever an ordering key or an idempotency key has routed its message', async () => {
    const stage = await scene({ queues: 8, shards: 4 });
    const drafts = Array.from({ length: 8 }, (_, number) =>
      number % 2 === 0 ? { orderingKey: `o-${number}`, due: HOUR } : { idempotencyKey: `i-${number}`, due: HOUR },
    );
    for (const { messageId } of await stage.send(...drafts)) {
      expect(await stage.ports.broker.cancel(stage.topic, { messageId })).toBe('cancelled');
    }
  });

  promise('cancelling frees the idempotency key', async () => {
    const stage = await scene();
    const [first] = await stage.send({ idempotencyKey: 'k', body: 'a', due: HOUR });
    await stage.ports.broker.cancel(stage.topic, { idempotencyKey: 'k' });
    const [second] = await stage.send({ idempotencyKey: 'k', body: 'b' });
    expect(second!.duplicate).toBe(false);
    expect(second!.messageId).not.toBe(first!.messageId);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['b']);
  });

  promise('a message that is due but not yet promoted can still be cancelled', async () => {
    const stage = await scene();
    await stage.send({ idempotencyKey: 'k', due: { delayMs: 30 } });
    await stage.subject.advance(60);
    expect(await stage.ports.broker.cancel(stage.topic, { idempotencyKey: 'k' })).toBe('cancelled');
    expect((await stage.promote()).promoted).toBe(0);
  });

  promise('what was delivered cannot be cancelled or rescheduled any more', async () => {
    const stage = await scene();
    const { broker } = stage.ports;
    const messageId = newMessageId();
    await stage.send({ idempotencyKey: 'now' }, { idempotencyKey: 'was-due', due: { delayMs: 30 } }, { messageId });
    await stage.promoteUntil(1);
    for (const ref of [{ idempotencyKey: 'now' }, { idempotencyKey: 'was-due' }, { messageId }]) {
      expect(await broker.cancel(stage.topic, ref)).toBe('already-delivered');
      expect(await broker.reschedule(stage.topic, ref, HOUR)).toBe('already-delivered');
    }
    expect(await (await stage.member('g')).drain()).toHaveLength(3);
  });

  promise('what nobody has sent is not found', async () => {
    const stage = await scene();
    const { broker } = stage.ports;
    for (const ref of [{ idempotencyKey: 'k' }, { messageId: newMessageId() }]) {
      expect(await broker.cancel(stage.topic, ref)).toBe('not-found');
      expect(await broker.reschedule(stage.topic, ref, HOUR)).toBe('not-found');
    }
  });

  promise('a second cancel finds nothing', async () => {
    const stage = await scene();
    await stage.send({ idempotencyKey: 'k', due: HOUR });
    await stage.ports.broker.cancel(stage.topic, { idempotencyKey: 'k' });
    expect(await stage.ports.broker.cancel(stage.topic, { idempotencyKey: 'k' })).toBe('not-found');
    expect(await stage.ports.admin.stats(stage.topic)).toMatchObject({ accepted: 1, scheduled: 0, cancelled: 1 });
  });

  promise('of many races between cancel and promote each ends delivered or cancelled, as the answer says', async () => {
    const stage = await scene();
    const other = await stage.process();
    const keys = Array.from({ length: 100 }, (_, number) => `k-${number}`);
    await stage.send(...keys.map((idempotencyKey) => ({ idempotencyKey, body: idempotencyKey, due: { delayMs: 60 } })));
    await stage.subject.advance(80);
    // From the other end than promote, so that they meet in the middle.
    const races = keys.toReversed().map(async (key, number) => {
      const cancelling = other.broker.cancel(stage.topic, { idempotencyKey: key });
      const promoting = number % 10 === 0 ? stage.promote(5) : undefined;
      return { key, answer: await cancelling, promoted: (await promoting)?.promoted ?? 0 };
    });
    const ended = await Promise.all(races);
    const delivered = ended.filter(({ answer }) => answer === 'already-delivered').map(({ key }) => key);
    expect(ended.filter(({ answer }) => answer === 'cancelled')).toHaveLength(100 - delivered.length);
    expect(ended.reduce((sum, { promoted }) => sum + promoted, 0)).toBe(delivered.length);
    expect(bodies(await (await stage.member('g')).drain()).toSorted()).toEqual(delivered.toSorted());
  });

  promise('rescheduling moves the due time earlier or later and keeps the message', async () => {
    const stage = await scene();
    const { broker } = stage.ports;
    await stage.send(
      { idempotencyKey: 'k', body: 'a', due: HOUR },
      { idempotencyKey: 'l', body: 'b', due: { delayMs: 60 } },
    );
    expect(await broker.reschedule(stage.topic, { idempotencyKey: 'k' }, { delayMs: 60 })).toBe('rescheduled');
    expect(await broker.reschedule(stage.topic, { idempotencyKey: 'l' }, HOUR)).toBe('rescheduled');
    await stage.promoteUntil(1);
    await stage.subject.advance(40);
    expect((await stage.promote()).promoted).toBe(0);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a']);
    const [duplicate] = await stage.send({ idempotencyKey: 'l', body: 'b' });
    expect(duplicate).toMatchObject({ duplicate: true, state: 'scheduled' });
    expect(duplicate!.dueAt!.getTime()).toBeGreaterThan(stage.subject.now() + 3_500_000);
  });

  promise('rescheduling to the past means now', async () => {
    const stage = await scene();
    const [receipt] = await stage.send({ body: 'a', due: HOUR });
    const ref = { messageId: receipt!.messageId };
    expect(await stage.ports.broker.reschedule(stage.topic, ref, { atMs: 1 })).toBe('rescheduled');
    await stage.promote();
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a']);
  });
}
