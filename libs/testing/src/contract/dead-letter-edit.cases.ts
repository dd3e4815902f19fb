import { expect } from '@jest/globals';
import { decodeMessage, type DeadLetter, type DeadLetterChange } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import { bodies, FAILED_TWICE, outgoing, type Draft } from './outgoing.js';
import type { Member } from './member.js';
import type { Scene } from './scene.js';

const META = JSON.stringify({ v: 1, at: 5, k: ['o-1'], h: { a: '1' }, x: 9 });

export function deadLetterEditCases({ promise, scene }: ContractKit): void {
  promise('an edit changes body, headers and tag, says who and when, and leaves everything else', async () => {
    const stage = await scene();
    const member = await buried(stage, { body: '{"n":1}', tag: 'old', orderingKey: 'k', meta: META });
    const before = await only(stage);
    const from = await stage.ports.admin.now();
    const change = { body: { n: 2 }, headers: { b: '2' }, tag: 'new', by: 'ann', note: 'wrong price' };
    const after = await edit(stage, before.name, change);
    expect(after).toEqual(await only(stage));
    expect(after).toMatchObject({ name: before.name, messageId: before.messageId, reason: before.reason, tag: 'new' });
    expect(after!.deadAt).toEqual(before.deadAt);
    const { edits, ...state } = after!.state;
    expect(state).toEqual(FAILED_TWICE);
    expect(edits).toEqual([
      { at: expect.any(Number), by: 'ann', note: 'wrong price', changed: ['body', 'headers', 'tag'] },
    ]);
    expect(edits![0]!.at).toBeGreaterThanOrEqual(from);

    await stage.ports.admin.redrive(stage.topic, 'g', { messageIds: [before.name] });
    const delivery = await member.drainOne();
    expect(decodeMessage(stage.topic, delivery.message)).toEqual({
      messageId: before.messageId,
      topic: stage.topic,
      tag: 'new',
      keys: ['o-1'],
      orderingKey: 'k',
      idempotencyKey: undefined,
      headers: { b: '2' },
      bornAt: new Date(5),
      maxAttempts: 9,
      body: { n: 2 },
    });
    // The note travels on, and is there when the message dies again.
    expect(delivery.state).toMatchObject({ attempt: 1, generation: 1, edits: [{ by: 'ann' }] });
  });

  promise('an edit of one thing leaves the others, and several edits are all noted', async () => {
    const stage = await scene();
    await buried(stage, { body: '{"n":1}', tag: 'old', meta: META });
    const { name, message } = await only(stage);
    await edit(stage, name, { tag: '', by: 'ann' });
    let now = await only(stage);
    expect(now.tag).toBeUndefined();
    expect(now.message).toMatchObject({ tag: '', messageId: message.messageId });
    expect(now.message.body.equals(message.body)).toBe(true);
    expect(decodeMessage(stage.topic, now.message)).toMatchObject({ headers: { a: '1' }, body: { n: 1 } });
    await edit(stage, name, { headers: {}, by: 'bob' });
    await edit(stage, name, { body: Buffer.from([0xff]), by: 'cid' });
    now = await only(stage);
    expect(decodeMessage(stage.topic, now.message)).toMatchObject({ headers: {}, body: Buffer.from([0xff]) });
    expect(now.state.edits!.map(({ by, changed }) => [by, ...changed])).toEqual([
      ['ann', 'tag'],
      ['bob', 'headers'],
      ['cid', 'body'],
    ]);
  });

  promise('a message that nobody could read is repaired by giving it a body', async () => {
    const stage = await scene();
    await buried(stage, { meta: Buffer.from([0xff, 0x00]), body: Buffer.from([0xc3]) });
    const { name } = await only(stage);
    await expect(edit(stage, name, { headers: { a: '1' }, by: 'ann' })).rejects.toMatchObject({ option: 'edit.body' });
    const { message } = (await edit(stage, name, { body: [1], by: 'ann' }))!;
    expect(decodeMessage(stage.topic, message)).toMatchObject({ messageId: name, body: [1] });
  });

  promise('the idempotency key still stands for what was sent, whatever was edited', async () => {
    const stage = await scene();
    const sent = { body: 'original', idempotencyKey: 'once' };
    const member = await buried(stage, sent);
    const { name } = await only(stage);
    await edit(stage, name, { body: Buffer.from('edited'), by: 'ann' });
    const answers = async (draft: Draft) =>
      (await stage.ports.broker.send([outgoing(stage.topic, draft)])).map((result) =>
        result.ok ? [result.receipt.duplicate, result.receipt.messageId] : (result.error as { code?: string }).code,
      );
    expect(await answers(sent)).toEqual([[true, name]]);
    expect(await answers({ ...sent, body: 'edited' })).toEqual(['MQ_IDEMPOTENCY_CONFLICT']);
    await stage.ports.admin.redrive(stage.topic, 'g', { messageIds: [name] });
    expect(bodies(await member.drain())).toEqual(['edited']);
    expect(await answers(sent)).toEqual([[true, name]]);
  });

  promise('edits at the same time are all kept', async () => {
    const stage = await scene();
    await buried(stage, 'a');
    const { name } = await only(stage);
    const people = ['ann', 'bob', 'cid', 'dee'];
    const others = await Promise.all(people.map(() => stage.process()));
    await Promise.all(
      others.map(({ admin }, index) =>
        admin.editDeadLetter(stage.topic, 'g', name, { tag: `t${index}`, by: people[index]! }),
      ),
    );
    const { state } = await only(stage);
    expect(state.edits!.map(({ by }) => by).toSorted()).toEqual(people);
  });

  promise('what is no dead letter cannot be edited, and a bad edit changes nothing', async () => {
    const stage = await scene();
    await buried(stage, 'a');
    const { name, ...before } = await only(stage);
    expect(await edit(stage, 'unknown', { tag: 't', by: 'ann' })).toBeUndefined();
    const bad: unknown[] = [
      { by: 'ann' },
      { tag: 't' },
      { tag: 'a b', by: 'ann' },
      { body: undefined, by: 'ann' },
      { body: Buffer.alloc(4 * 1024 * 1024 + 1), by: 'ann' },
      { headers: { a: 1 }, by: 'ann' },
      { messageId: 'other', by: 'ann' },
    ];
    for (const change of bad)
      await expect(edit(stage, name, change as DeadLetterChange)).rejects.toMatchObject({ code: 'MQ_INVALID_OPTION' });
    expect(await only(stage)).toEqual({ name, ...before });
  });
}

async function buried(stage: Scene, draft: Draft | string): Promise<Member> {
  await stage.send(draft);
  const member = await stage.member('g');
  const deliveries = await member.drain();
  await member.settle(deliveries, { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
  return member;
}

async function only(stage: Scene): Promise<DeadLetter> {
  const letters = await stage.ports.admin.deadLetters(stage.topic, 'g', { offset: 0, limit: 2 });
  expect(letters).toHaveLength(1);
  return letters[0]!;
}

function edit(stage: Scene, name: string, change: DeadLetterChange): Promise<DeadLetter | undefined> {
  return stage.ports.admin.editDeadLetter(stage.topic, 'g', name, change);
}
