import { expect } from '@jest/globals';
import type { SendResult } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import { bodies, FAILED_TWICE, outgoing, type Draft } from './outgoing.js';
import type { Scene } from './scene.js';

const FULL = 'MQ_TOPIC_FULL';

/** Sends one batch; `ok` or the code of each message. */
async function trySend(stage: Scene, ...drafts: (Draft | string)[]): Promise<string[]> {
  const batch = drafts.map((draft) => outgoing(stage.topic, typeof draft === 'string' ? { body: draft } : draft));
  return (await stage.ports.broker.send(batch)).map((result: SendResult) => (result.ok ? 'ok' : result.error.code));
}

export function maxLengthCases({ promise, scene }: ContractKit): void {
  promise('a full topic refuses each message it has no room for, and stores the others', async () => {
    const stage = await scene({ maxLength: 3, queues: 2 });
    const member = await stage.member('g');
    expect(await trySend(stage, 'a', 'b')).toEqual(['ok', 'ok']);
    expect(await trySend(stage, 'c', 'd', 'e')).toEqual(['ok', FULL, FULL]);
    expect(await trySend(stage, 'f')).toEqual([FULL]);
    expect(bodies(await member.drain()).toSorted()).toEqual(['a', 'b', 'c']);
    expect((await stage.ports.admin.stats(stage.topic)).accepted).toBe(3);
  });

  promise('what is leased or retrying counts, what is settled or dead does not', async () => {
    const stage = await scene({ maxLength: 3 });
    const member = await stage.member('g');
    await stage.send('a', 'b', 'c');
    const [first, second, third] = await member.drain();
    expect(await trySend(stage, 'd')).toEqual([FULL]);
    await member.settle([first!], { type: 'retry', delayMs: 60_000, state: FAILED_TWICE });
    await member.settle([second!], { type: 'retry', delayMs: 0, state: FAILED_TWICE });
    expect(await trySend(stage, 'd')).toEqual([FULL]);
    await member.settle([third!], { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
    expect(await trySend(stage, 'd', 'e')).toEqual(['ok', FULL]);
    await member.ack(...(await member.drain()));
    expect(await trySend(stage, 'f', 'g', 'h')).toEqual(['ok', 'ok', FULL]);
  });

  promise('the slowest group counts, and a group that starts last begins with nothing to do', async () => {
    const stage = await scene({ maxLength: 3 });
    const quick = await stage.member('quick');
    await stage.send('a', 'b', 'c');
    await quick.ack(...(await quick.drain()));
    const slow = await stage.member('slow', { startFrom: 'last' });
    expect(await trySend(stage, 'd', 'e')).toEqual(['ok', 'ok']);
    await quick.ack(...(await quick.drain()));
    expect(await trySend(stage, 'f', 'g')).toEqual(['ok', FULL]);
    await slow.ack(...(await slow.drain()));
    expect(await trySend(stage, 'h')).toEqual(['ok']);
  });

  promise('while no group is declared everything counts: it waits for the first one', async () => {
    const stage = await scene({ maxLength: 2 });
    expect(await trySend(stage, 'a', 'b', 'c')).toEqual(['ok', 'ok', FULL]);
    expect(await trySend(stage, 'c')).toEqual([FULL]);
    const member = await stage.member('g');
    await member.ack(...(await member.drain()));
    expect(await trySend(stage, 'd')).toEqual(['ok']);
  });

  promise('each shard has its share', async () => {
    const stage = await scene({ maxLength: 4, queues: 2, shards: 2 });
    await stage.member('g');
    const zero = { orderingKey: stage.keyOf(0) };
    expect(await trySend(stage, zero, zero, zero)).toEqual(['ok', 'ok', FULL]);
    expect(await trySend(stage, { orderingKey: stage.keyOf(1) })).toEqual(['ok']);
  });

  promise('a message that is scheduled, promoted or redriven comes in all the same', async () => {
    const stage = await scene({ maxLength: 1 });
    const member = await stage.member('g');
    await stage.send('a');
    await stage.bury(member);
    await stage.send('b');
    expect(await trySend(stage, { body: 'c', due: { delayMs: 20 } }, 'd')).toEqual(['ok', FULL]);
    await stage.promoteUntil(1);
    await stage.ports.admin.redrive(stage.topic, 'g', { max: 1 });
    expect(bodies(await member.drain()).toSorted()).toEqual(['a', 'b', 'c']);
  });

  promise('a duplicate is answered as ever, and a refused message leaves no record behind', async () => {
    const stage = await scene({ maxLength: 1 });
    const member = await stage.member('g');
    const [one, two] = [
      { body: 'one', idempotencyKey: 'k-1' },
      { body: 'two', idempotencyKey: 'k-2' },
    ];
    expect(await trySend(stage, one, two, one, two)).toEqual(['ok', FULL, 'ok', FULL]);
    await member.ack(...(await member.drain()));
    const [receipt] = await stage.send(two);
    expect(receipt).toMatchObject({ duplicate: false });
    expect(bodies(await member.drain())).toEqual(['two']);
  });

  promise(
    'a full topic that drops: the slow group loses its oldest messages, counted, another group nothing',
    async () => {
      const stage = await scene({ maxLength: 3, onFull: 'drop-oldest' });
      const [quick, slow] = [await stage.member('quick'), await stage.member('slow')];
      await stage.send('a', 'b');
      await quick.ack(...(await quick.drain()));
      await stage.send('c', 'd', 'e');
      expect(bodies(await quick.drain())).toEqual(['c', 'd', 'e']);
      expect(bodies(await slow.drain())).toEqual(['c', 'd', 'e']);
      expect(await stage.group('quick')).toMatchObject({ dropped: 0, done: 2, leased: 3, ready: 0 });
      expect(await stage.group('slow')).toMatchObject({ dropped: 2, done: 0, leased: 3, ready: 0 });
    },
  );

  promise(
    'a full topic drops nothing for a message that it does not store: a duplicate, or one that waits',
    async () => {
      const stage = await scene({ maxLength: 2, onFull: 'drop-oldest' });
      await stage.member('g');
      await stage.send({ body: 'a', idempotencyKey: 'k' }, { body: 'due', due: { delayMs: 30 } }, 'b');
      await stage.subject.advance(60);
      await stage.promoteUntil(1);
      await stage.send({ body: 'a', idempotencyKey: 'k' }, { body: 'waits', due: { delayMs: 60_000 } });
      expect(await stage.group('g')).toMatchObject({ ready: 3, dropped: 0 });
      await stage.send('c');
      expect(await stage.group('g')).toMatchObject({ ready: 2, dropped: 2 });
    },
  );

  promise('who holds a message that is dropped has lost its lease: it cannot renew or settle it', async () => {
    const stage = await scene({ maxLength: 3, onFull: 'drop-oldest' });
    const member = await stage.member('g', { leaseMs: 300 });
    await stage.send('a', 'b');
    const [first, second] = await member.drain();
    await member.ports.broker.markStarted([first!, second!]);
    await stage.send('c', 'd');
    expect(await member.ports.broker.renew([first!, second!])).toEqual([second]);
    expect(await member.ack(first!, second!)).toEqual(['lease-lost', 'settled']);
    await member.expireLeases();
    expect(await member.reclaim()).toEqual([]);
    expect(bodies(await member.drain())).toEqual(['c', 'd']);
    expect(await stage.group('g')).toMatchObject({ dropped: 1, done: 1, leased: 2 });
  });

  promise(
    'retries are dropped too where nothing else is left, so that failing handlers cannot fill the store',
    async () => {
      const stage = await scene({ maxLength: 2, onFull: 'drop-oldest' });
      const member = await stage.member('g');
      for (const body of ['a', 'b', 'c', 'd']) {
        await stage.send(body);
        await member.settle(await member.drain(), { type: 'retry', delayMs: 60_000, state: FAILED_TWICE });
      }
      const row = await stage.group('g');
      expect(row.retrying).toBeLessThanOrEqual(2);
      expect(row.retrying + row.dropped + row.ready + row.leased).toBe(4);
    },
  );

  promise('more than a call can hold is dropped until the bound holds again', async () => {
    const stage = await scene({ maxLength: 10, onFull: 'drop-oldest', queues: 2 });
    const member = await stage.member('g');
    const sent = Array.from({ length: 300 }, (_, number) => `${number}`);
    await stage.send(...sent);
    // In another ms: the order of two queues is told by time.
    await stage.subject.advance(2);
    await stage.send('last');
    const row = await stage.group('g');
    expect(row).toMatchObject({ ready: 10, dropped: 291 });
    const kept = bodies(await member.drain());
    expect(kept).toHaveLength(10);
    expect(kept).toContain('last');
  });

  promise(
    'an ordered group whose message was dropped goes on with the next one',
    async () => {
      const stage = await scene({ maxLength: 2, onFull: 'drop-oldest' });
      const one = await (await stage.member('g', { mode: 'ordered' })).own(0);
      await stage.send({ body: 'a', orderingKey: 'k' }, { body: 'b', orderingKey: 'k' });
      const [first] = await one.drain();
      await stage.send({ body: 'c', orderingKey: 'k' });
      expect(await one.ack(first!)).toEqual(['lease-lost']);
      await one.giveUp();
      const two = await (await stage.member('g', { mode: 'ordered', ports: await stage.process() })).own(0);
      expect(bodies(await two.drain())).toEqual(['b', 'c']);
    },
    'orderedMode',
  );
}
