// Messages that wait for their due time, as operators see them.
import { expect } from '@jest/globals';
import type { ScheduledFilter, ScheduledPage, ScheduledQuery } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Draft } from './outgoing.js';
import type { Scene } from './scene.js';

const HOUR = 3_600_000;

export function scheduledCases({ promise, scene }: ContractKit): void {
  promise('a list shows what waits, without bodies, with what cancels it', async () => {
    const stage = await scene();
    const due = await hours(stage);
    const meta = JSON.stringify({ v: 1, at: 1, k: ['o-1', 'o-2'], i: 'once' });
    await stage.send('ready', {
      body: 'secret',
      tag: 't',
      orderingKey: 'k',
      idempotencyKey: 'once',
      meta,
      due: due(1),
    });
    const { messages, cursor } = await list(stage);
    expect(cursor).toBeUndefined();
    expect(messages).toEqual([
      {
        messageId: expect.any(String),
        topic: stage.topic,
        dueAt: new Date(due(1).atMs),
        tag: 't',
        orderingKey: 'k',
        keys: ['o-1', 'o-2'],
        idempotencyKey: 'once',
        ref: { idempotencyKey: 'once', orderingKey: 'k' },
      },
    ]);
    expect(await stage.ports.broker.cancel(stage.topic, messages[0]!.ref)).toBe('cancelled');
    expect((await list(stage)).messages).toEqual([]);
  });

  promise('a listed message without a key is cancelled by its id', async () => {
    const stage = await scene({ shards: 2, queues: 2 });
    await stage.send(...Array.from({ length: 9 }, () => ({ due: { delayMs: HOUR } })));
    for (const { ref } of (await list(stage)).messages)
      expect(await stage.ports.broker.cancel(stage.topic, ref)).toBe('cancelled');
    expect(await stage.ports.admin.countScheduled(stage.topic)).toBe(0);
  });

  promise('pages go through every message of all buckets once, in order of due time, whatever their size', async () => {
    const stage = await scene({ queues: 4, shards: 2, delayBuckets: 3 });
    const due = await hours(stage);
    // Sent in another order than they are due in.
    const numbers = Array.from({ length: 31 }, (_, number) => (number * 7) % 31);
    const receipts = await stage.send(
      ...numbers.map((number) => ({ orderingKey: stage.keyOf(number % 4), due: due(number + 1) })),
    );
    const expected = numbers
      .map((number, index) => ({ number, id: receipts[index]!.messageId }))
      .toSorted((a, b) => a.number - b.number)
      .map(({ id }) => id);
    for (const limit of [1, 4, 31, 1000]) expect(await walk(stage, { limit })).toEqual(expected);
  });

  promise('messages of one instant are told apart by their ids', async () => {
    const stage = await scene({ delayBuckets: 1 });
    const due = await hours(stage);
    const receipts = await stage.send(...Array.from({ length: 230 }, () => ({ due: due(1) })));
    const walked = await walk(stage, { limit: 7 });
    expect(walked.toSorted()).toEqual(receipts.map(({ messageId }) => messageId).toSorted());
  });

  promise('a list goes on where it was, also when the message it stopped at is gone', async () => {
    const stage = await scene();
    const due = await hours(stage);
    const ids = (await stage.send(...[1, 2, 3, 4, 5].map((hour) => ({ due: due(hour) })))).map(
      ({ messageId }) => messageId,
    );
    const first = await list(stage, { limit: 2 });
    for (const messageId of ids.slice(1, 3)) await stage.ports.broker.cancel(stage.topic, { messageId });
    const second = await list(stage, { cursor: first.cursor });
    expect(idsOf(second)).toEqual(ids.slice(3));
  });

  promise('a filter lets through what fits all of it, and counting agrees with it', async () => {
    const stage = await scene({ shards: 2, queues: 2 });
    const due = await hours(stage);
    const meta = JSON.stringify({ v: 1, at: 1, k: ['o-1'] });
    const drafts: Draft[] = [
      { tag: 'red', orderingKey: 'k', meta, due: due(1) },
      { tag: 'red', idempotencyKey: 'once', due: due(2) },
      { due: due(3) },
    ];
    const [a, b, c] = (await stage.send(...drafts)).map(({ messageId }) => messageId);
    const at = (hour: number): Date => new Date(due(hour).atMs);
    const cases: [ScheduledFilter, unknown[]][] = [
      [{}, [a, b, c]],
      [{ tag: 'red' }, [a, b]],
      [{ tag: '' }, [c]],
      [{ key: 'o-1' }, [a]],
      [{ key: 'once' }, [b]],
      [{ orderingKey: 'k' }, [a]],
      [{ dueFrom: at(2) }, [b, c]],
      [{ dueBefore: at(2) }, [a]],
      [{ dueFrom: at(2), dueBefore: at(3) }, [b]],
      [{ dueFrom: at(3), dueBefore: at(2) }, []],
      [{ tag: 'red', dueFrom: at(2) }, [b]],
    ];
    for (const [filter, expected] of cases) {
      expect(idsOf(await list(stage, { filter }))).toEqual(expected);
      expect(await stage.ports.admin.countScheduled(stage.topic, filter)).toBe(expected.length);
    }
  });

  promise('a narrow filter comes to its end over pages that may be empty', async () => {
    const stage = await scene({ delayBuckets: 2 });
    const due = await hours(stage);
    const drafts = Array.from({ length: 1250 }, (_, number) => ({
      tag: number === 1200 ? 'rare' : '',
      due: due(1 + number),
    }));
    await stage.send(...drafts);
    expect(await walk(stage, { filter: { tag: 'rare' } })).toHaveLength(1);
    expect(await stage.ports.admin.countScheduled(stage.topic, { tag: 'rare' })).toBe(1);
  });

  promise(
    'one message is found by its id or its key, with its content, until it is delivered or cancelled',
    async () => {
      const stage = await scene({ shards: 2, queues: 4 });
      const { admin, broker } = stage.ports;
      const due = await hours(stage);
      const [plain, keyed] = await stage.send(
        { body: 'a', due: due(1) },
        { body: 'b', tag: 't', idempotencyKey: 'order-1', orderingKey: 'o', due: due(2) },
      );
      const found = await admin.findScheduled(stage.topic, { messageId: plain!.messageId });
      expect(found).toMatchObject({ messageId: plain!.messageId, dueAt: new Date(due(1).atMs) });
      expect(found!.message.body.toString()).toBe('a');
      const key = { idempotencyKey: 'order-1', orderingKey: 'o' };
      const other = await admin.findScheduled(stage.topic, key);
      expect(other).toMatchObject({ messageId: keyed!.messageId, tag: 't', orderingKey: 'o', ref: key });
      expect(other!.message.body.toString()).toBe('b');
      expect(await admin.findScheduled(stage.topic, { idempotencyKey: 'order-1' })).toBeUndefined();
      expect(await admin.findScheduled(stage.topic, { messageId: 'unknown' })).toBeUndefined();
      await broker.cancel(stage.topic, key);
      expect(await admin.findScheduled(stage.topic, key)).toBeUndefined();
    },
  );

  promise('a histogram says how many are due in each step, before and after them', async () => {
    const stage = await scene({ shards: 2, queues: 2 });
    const due = await hours(stage);
    await stage.send(...[1, 2, 2, 3, 5, 9].map((hour) => ({ due: due(hour) })));
    const at = (hour: number): Date => new Date(due(hour).atMs);
    expect(await stage.ports.admin.dueHistogram(stage.topic, { from: at(2), stepMs: HOUR, steps: 3 })).toEqual({
      before: 1,
      steps: [
        { from: at(2), count: 2 },
        { from: at(3), count: 1 },
        { from: at(4), count: 0 },
      ],
      after: 2,
    });
    const fromNow = await stage.ports.admin.dueHistogram(stage.topic, { stepMs: 3 * HOUR, steps: 2 });
    expect(fromNow).toMatchObject({ before: 0, steps: [{ count: expect.any(Number) }, { count: expect.any(Number) }] });
    expect(fromNow.steps[0]!.count + fromNow.steps[1]!.count + fromNow.after).toBe(6);
  });

  promise('a bad filter, limit, cursor, reference or histogram is refused', async () => {
    const stage = await scene();
    const { admin } = stage.ports;
    await stage.send({ due: { delayMs: HOUR } }, { due: { delayMs: HOUR } });
    const { cursor } = await list(stage, { limit: 1 });
    const bad: [string, unknown][] = [
      ['filter.tags', { filter: { tags: 'a' } }],
      ['filter.dueFrom', { filter: { dueFrom: new Date(Number.NaN) } }],
      ['filter.key', { filter: { key: 1 } }],
      ['scheduled.limit', { limit: 0 }],
      ['scheduled.limit', { limit: 1001 }],
      ['scheduled.cursor', { cursor: 'nonsense' }],
      ['scheduled.order', { cursor, order: 'newest' }],
    ];
    for (const [option, query] of bad)
      await expect(list(stage, query as ScheduledQuery)).rejects.toMatchObject({ code: 'MQ_INVALID_OPTION', option });
    await expect(admin.countScheduled(stage.topic, { tags: 'a' } as ScheduledFilter)).rejects.toMatchObject({
      option: 'filter.tags',
    });
    await expect(admin.findScheduled(stage.topic, {} as { messageId: string })).rejects.toMatchObject({
      option: 'ref',
    });
    for (const query of [
      { stepMs: 0, steps: 1 },
      { stepMs: 1, steps: 201 },
      { stepMs: 1.5, steps: 1 },
    ])
      await expect(admin.dueHistogram(stage.topic, query)).rejects.toMatchObject({ code: 'MQ_INVALID_OPTION' });
  });
}

/** Due times, so many hours from now on the broker's clock. */
async function hours(stage: Scene): Promise<(hour: number) => { atMs: number }> {
  const now = await stage.ports.admin.now();
  return (hour) => ({ atMs: now + hour * HOUR });
}

function list(stage: Scene, query?: ScheduledQuery): Promise<ScheduledPage> {
  return stage.ports.admin.listScheduled(stage.topic, query);
}

async function walk(stage: Scene, query: ScheduledQuery): Promise<string[]> {
  const ids: string[] = [];
  let page = await list(stage, query);
  ids.push(...idsOf(page));
  while (page.cursor !== undefined) {
    page = await list(stage, { ...query, cursor: page.cursor });
    expect(page.messages.length).toBeLessThanOrEqual(query.limit ?? 50);
    ids.push(...idsOf(page));
  }
  return ids;
}

function idsOf(page: ScheduledPage): string[] {
  return page.messages.map(({ messageId }) => messageId);
}
