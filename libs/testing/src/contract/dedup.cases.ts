import { expect } from '@jest/globals';
import { newMessageId } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import { bodies, outgoing } from './outgoing.js';

export function dedupCases({ promise, scene }: ContractKit): void {
  promise('a second send of an idempotency key stores nothing and gets the receipt of the first', async () => {
    const stage = await scene({ queues: 4 });
    const [first] = await stage.send({ idempotencyKey: 'order-1', body: 'a' });
    const [second] = await stage.sendFrom(await stage.process(), { idempotencyKey: 'order-1', body: 'a' });
    expect(second).toEqual({ ...first, duplicate: true });
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a']);
  });

  promise('of 100 parallel sends of one key from two processes one is stored, and all name it', async () => {
    const stage = await scene();
    const other = await stage.process();
    const draft = { idempotencyKey: 'k', body: 'a' };
    const receipts = (
      await Promise.all(
        Array.from({ length: 100 }, (_, number) => stage.sendFrom(number % 2 === 0 ? stage.ports : other, draft)),
      )
    ).flat();
    expect(new Set(receipts.map(({ messageId }) => messageId)).size).toBe(1);
    expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    const delivery = await (await stage.member('g')).drainOne();
    expect(delivery.message.messageId).toBe(receipts[0]!.messageId);
  });

  promise('another body under the same key is an IdempotencyConflictError that names the first message', async () => {
    const stage = await scene();
    const [first] = await stage.send({ idempotencyKey: 'k', body: 'a' });
    const [conflict, neighbour] = await stage.ports.broker.send([
      outgoing(stage.topic, { idempotencyKey: 'k', body: 'b' }),
      outgoing(stage.topic, { body: 'c' }),
    ]);
    expect(conflict).toMatchObject({
      ok: false,
      error: { code: 'MQ_IDEMPOTENCY_CONFLICT', topic: stage.topic, key: 'k', messageId: first!.messageId },
    });
    expect(neighbour).toMatchObject({ ok: true });
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a', 'c']);
  });

  promise('a key twice in one batch is stored once', async () => {
    const stage = await scene();
    const receipts = await stage.send({ idempotencyKey: 'k', body: 'a' }, { idempotencyKey: 'k', body: 'a' });
    expect(receipts.map(({ duplicate }) => duplicate)).toEqual([false, true]);
    expect(receipts[1]!.messageId).toBe(receipts[0]!.messageId);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a']);
  });

  promise('an explicit message id is stored once', async () => {
    const stage = await scene();
    const messageId = newMessageId();
    const [first] = await stage.send({ messageId, body: 'a' });
    const [second] = await stage.send({ messageId, body: 'a' });
    expect([first!.duplicate, second!.duplicate]).toEqual([false, true]);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a']);
  });

  promise('an idempotency key is unique within its ordering key only', async () => {
    const stage = await scene();
    const receipts = await stage.send(
      { idempotencyKey: 'k', orderingKey: 'x', body: '1' },
      { idempotencyKey: 'k', orderingKey: 'y', body: '2' },
      { idempotencyKey: 'k', body: '3' },
      { idempotencyKey: 'k', orderingKey: 'x', body: '1' },
    );
    expect(receipts.map(({ duplicate }) => duplicate)).toEqual([false, false, false, true]);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['1', '2', '3']);
  });

  promise('a key of one topic says nothing about another topic', async () => {
    const [one, two] = [await scene(), await scene()];
    await one.send({ idempotencyKey: 'k', body: 'a' });
    const [receipt] = await two.send({ idempotencyKey: 'k', body: 'b' });
    expect(receipt!.duplicate).toBe(false);
  });

  promise('a duplicate of a scheduled message says scheduled and when it is due', async () => {
    const stage = await scene();
    const draft = { idempotencyKey: 'k', body: 'a', due: { delayMs: 3_600_000 } };
    const [first] = await stage.send(draft);
    const [second] = await stage.send(draft);
    expect(first).toMatchObject({ state: 'scheduled', duplicate: false });
    expect(second).toEqual({ ...first, duplicate: true });
  });

  promise('a duplicate of a message that was due and promoted says accepted', async () => {
    const stage = await scene();
    const draft = { idempotencyKey: 'k', body: 'a', due: { delayMs: 50 } };
    const [first] = await stage.send(draft);
    await stage.promoteUntil(1);
    const [second] = await stage.send(draft);
    expect(second).toMatchObject({ messageId: first!.messageId, duplicate: true, state: 'accepted' });
    expect(second!.dueAt).toBeUndefined();
  });

  promise('a key is free again when its window is over', async () => {
    const stage = await scene({ idempotencyWindow: 100 });
    await stage.send({ idempotencyKey: 'k', body: 'a' });
    await stage.subject.advance(150);
    const [again] = await stage.send({ idempotencyKey: 'k', body: 'b' });
    expect(again!.duplicate).toBe(false);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a', 'b']);
  });

  promise('the window of a scheduled message begins when it is due', async () => {
    const stage = await scene({ idempotencyWindow: 400 });
    const draft = { idempotencyKey: 'k', body: 'a', due: { delayMs: 300 } };
    await stage.send(draft);
    await stage.subject.advance(310);
    await stage.promoteUntil(1);
    await stage.subject.advance(150);
    const [second] = await stage.send(draft);
    expect(second!.duplicate).toBe(true);
  });

  promise('a duplicate is not counted as accepted', async () => {
    const stage = await scene();
    await stage.send({ idempotencyKey: 'k' }, { idempotencyKey: 'k' }, {});
    expect(await stage.ports.admin.stats(stage.topic)).toMatchObject({ accepted: 2 });
  });
}
