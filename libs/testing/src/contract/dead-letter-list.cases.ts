import { expect } from '@jest/globals';
import type { DeadLetterFilter, DeadLetterPage, DeadLetterQuery, RetryState } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Draft } from './outgoing.js';
import type { Scene } from './scene.js';

export function deadLetterListCases({ promise, scene }: ContractKit): void {
  promise('a list shows what is needed to decide, without bodies', async () => {
    const stage = await scene();
    const meta = JSON.stringify({ v: 1, at: 1, k: ['o-1', 'o-2'], i: 'once' });
    await buried(stage, [{ body: 'secret', tag: 't', orderingKey: 'k', meta }]);
    const { letters } = await list(stage);
    expect(letters).toEqual([
      {
        name: letters[0]!.messageId,
        messageId: expect.any(String),
        topic: stage.topic,
        group: 'g',
        reason: 'rejected',
        text: 'no use',
        deadAt: expect.any(Date),
        state: { attempt: 1, crashes: 0, generation: 0, failures: [] },
        tag: 't',
        orderingKey: 'k',
        keys: ['o-1', 'o-2'],
        idempotencyKey: 'once',
      },
    ]);
  });

  promise('pages go through every dead letter of all shards once, in either order, whatever their size', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const names = await buried(
      stage,
      Array.from({ length: 23 }, (_, number) => ({ body: `${number}`, orderingKey: stage.keyOf(number % 4) })),
    );
    for (const limit of [1, 4, 23, 1000]) {
      expect(await walk(stage, { limit, order: 'oldest' })).toEqual(names);
      expect(await walk(stage, { limit })).toEqual(names.toReversed());
    }
  });

  promise('dead letters of one instant are told apart by their names', async () => {
    const stage = await scene();
    await stage.send(...Array.from({ length: 30 }, (_, number) => `${number}`));
    const member = await stage.member('g');
    const deliveries = await member.drain();
    const state = deliveries[0]!.state;
    // One batch dies in one step.
    await member.settle(deliveries, { type: 'dead-letter', reason: 'rejected', state });
    const ids = deliveries.map(({ message }) => message.messageId).toSorted();
    for (const order of ['oldest', 'newest'] as const)
      expect((await walk(stage, { limit: 7, order })).toSorted()).toEqual(ids);
  });

  promise('a list goes on where it was, also when the letter it stopped at is gone and others died', async () => {
    const stage = await scene();
    const names = await buried(stage, ['1', '2', '3', '4', '5', '6']);
    const first = await list(stage, { limit: 3, order: 'oldest' });
    expect(namesOf(first)).toEqual(names.slice(0, 3));
    await stage.ports.admin.purgeDeadLetters(stage.topic, 'g', names.slice(1, 4));
    const [late] = await buried(stage, ['7']);
    const second = await list(stage, { order: 'oldest', cursor: first.cursor });
    expect(namesOf(second)).toEqual([names[4], names[5], late]);

    const newest = await list(stage, { limit: 2 });
    expect(namesOf(newest)).toEqual([late, names[5]]);
    await stage.ports.admin.redrive(stage.topic, 'g', { messageIds: [names[5]!] });
    expect(namesOf(await list(stage, { cursor: newest.cursor }))).toEqual([names[4], names[0]]);
  });

  promise('a filter lets through what fits all of it', async () => {
    const stage = await scene();
    const meta = JSON.stringify({ v: 1, at: 1, k: ['o-1'], i: 'once' });
    const [keyed] = await buried(stage, [{ body: 'a', tag: 'red', orderingKey: 'k', meta }], failed('TypeError'));
    const between = await instant(stage);
    const [plain] = await buried(stage, ['b'], failed('RangeError'));
    const [again] = await buried(stage, ['c'], { ...failed('RangeError'), generation: 2 });
    const meant = async (filter: DeadLetterFilter) => namesOf(await list(stage, { filter, order: 'oldest' }));
    expect(await meant({})).toEqual([keyed, plain, again]);
    expect(await meant({ reason: 'rejected' })).toEqual([keyed, plain, again]);
    expect(await meant({ reason: ['expired', 'no-retry'] })).toEqual([]);
    expect(await meant({ error: 'RangeError' })).toEqual([plain, again]);
    expect(await meant({ error: ['TypeError', 'First'] })).toEqual([keyed]);
    expect(await meant({ diedBefore: between })).toEqual([keyed]);
    expect(await meant({ diedFrom: between })).toEqual([plain, again]);
    expect(await meant({ diedFrom: between, diedBefore: between })).toEqual([]);
    expect(await meant({ tag: 'red' })).toEqual([keyed]);
    expect(await meant({ tag: '' })).toEqual([plain, again]);
    expect(await meant({ key: 'o-1' })).toEqual([keyed]);
    expect(await meant({ key: 'once' })).toEqual([keyed]);
    expect(await meant({ orderingKey: 'k' })).toEqual([keyed]);
    expect(await meant({ generation: 2 })).toEqual([again]);
    expect(await meant({ generation: { max: 1 } })).toEqual([keyed, plain]);
    expect(await meant({ error: 'RangeError', generation: { min: 1 } })).toEqual([again]);
  });

  promise('a narrow filter comes to its end over pages that may be empty', async () => {
    const stage = await scene();
    await stage.send(...Array.from({ length: 250 }, (_, number) => ({ body: 'x', tag: number === 100 ? 'rare' : '' })));
    const member = await stage.member('g');
    const deliveries = await member.drain();
    const state = deliveries[0]!.state;
    await member.settle(deliveries, { type: 'dead-letter', reason: 'rejected', state });
    expect(await walk(stage, { filter: { tag: 'rare' }, limit: 10 })).toHaveLength(1);
  });

  promise('counting adds up reasons and error classes of what the filter lets through', async () => {
    const stage = await scene({ queues: 2, shards: 2 });
    const failures = [{ attempt: 1, at: 1, durationMs: 1, error: 'TypeError', text: '' }];
    await buried(stage, ['a', 'b'], { attempt: 1, crashes: 0, generation: 0, failures });
    await buried(stage, [{ body: 'c', tag: 't' }]);
    expect(await stage.ports.admin.countDeadLetters(stage.topic, 'g')).toEqual({
      total: 3,
      byReason: { rejected: 3 },
      byError: { TypeError: 2, '': 1 },
    });
    const tagged = await stage.ports.admin.countDeadLetters(stage.topic, 'g', { tag: 't' });
    expect(tagged).toEqual({ total: 1, byReason: { rejected: 1 }, byError: { '': 1 } });
  });

  promise('one dead letter is read by its name, with its body', async () => {
    const stage = await scene({ queues: 2, shards: 2 });
    const [name] = await buried(stage, ['a', 'b']);
    const letter = await stage.ports.admin.deadLetter(stage.topic, 'g', name!);
    expect(letter).toMatchObject({ name, messageId: name, reason: 'rejected', text: 'no use' });
    expect(letter!.message.body.toString()).toBe('a');
    expect(await stage.ports.admin.deadLetter(stage.topic, 'g', 'unknown')).toBeUndefined();
  });

  promise('two dead letters of one message id have names of their own', async () => {
    const stage = await scene({ idempotencyWindow: 100 });
    const twice = { body: 'a', messageId: 'same' };
    await buried(stage, [twice]);
    await stage.subject.advance(150);
    await buried(stage, [twice]);
    const { letters } = await list(stage);
    expect(letters.map(({ messageId }) => messageId)).toEqual(['same', 'same']);
    const [other] = letters.map(({ name }) => name).filter((name) => name !== 'same');
    expect(await stage.ports.admin.purgeDeadLetters(stage.topic, 'g', [other!])).toBe(1);
    expect(namesOf(await list(stage))).toEqual(['same']);
  });

  promise('a bad filter, order, limit or cursor is refused', async () => {
    const stage = await scene();
    await buried(stage, ['a', 'b']);
    const { cursor } = await list(stage, { limit: 1 });
    const bad: unknown[] = [
      { filter: { reason: 'broken' } },
      { filter: { tags: 'a' } },
      { filter: { diedFrom: new Date(Number.NaN) } },
      { filter: { generation: -1 } },
      { order: 'random' },
      { limit: 0 },
      { limit: 1001 },
      { cursor: 'nonsense' },
      { cursor, order: 'oldest' },
    ];
    for (const query of bad)
      await expect(list(stage, query as DeadLetterQuery)).rejects.toMatchObject({ code: 'MQ_INVALID_OPTION' });
  });
}

/** A state after two failures, the latter of this class. */
function failed(error: string): RetryState {
  const first = { attempt: 1, at: 1, durationMs: 1, error: 'First', text: '' };
  return {
    attempt: 2,
    crashes: 0,
    generation: 0,
    failures: [first, { attempt: 2, at: 2, durationMs: 1, error, text: '' }],
  };
}

/** Buries each draft on its own, one after the other; their ids in order of death. */
async function buried(stage: Scene, drafts: readonly (Draft | string)[], state?: RetryState): Promise<string[]> {
  const member = await stage.member('g');
  const ids: string[] = [];
  for (const draft of drafts) {
    await stage.send(draft);
    const delivery = await member.drainOne();
    ids.push(delivery.message.messageId);
    const settlement = {
      type: 'dead-letter',
      reason: 'rejected',
      text: 'no use',
      state: state ?? delivery.state,
    } as const;
    await member.settle([delivery], settlement);
    await stage.subject.advance(2);
  }
  return ids;
}

/** An instant of the broker's clock with nothing in it. */
async function instant(stage: Scene): Promise<Date> {
  const now = await stage.ports.admin.now();
  await stage.subject.advance(2);
  return new Date(now);
}

function list(stage: Scene, query?: DeadLetterQuery): Promise<DeadLetterPage> {
  return stage.ports.admin.listDeadLetters(stage.topic, 'g', query);
}

async function walk(stage: Scene, query: DeadLetterQuery): Promise<string[]> {
  const names: string[] = [];
  let page = await list(stage, query);
  names.push(...namesOf(page));
  while (page.cursor !== undefined) {
    page = await list(stage, { ...query, cursor: page.cursor });
    expect(page.letters.length).toBeLessThanOrEqual(query.limit!);
    names.push(...namesOf(page));
  }
  return names;
}

function namesOf(page: DeadLetterPage): string[] {
  return page.letters.map(({ name }) => name);
}
