import { expect } from '@jest/globals';
import type { BrokerPorts, ClaimAnswer, OnceClaim, OnceRecords } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Scene } from './scene.js';

const GRANTED = { type: 'granted' };
const busy = expect.objectContaining({ type: 'busy' });

const records = (ports: BrokerPorts): OnceRecords => ports.once!;

/** Message `a`, first hand-over, of key `k`, for long enough to outlive the case. */
function claimOn({ topic }: Scene, draft: Partial<OnceClaim> = {}): OnceClaim {
  const common = { topic, group: 'g', name: 'k', routingKey: draft.name ?? 'k', messageId: 'a', fence: 100 };
  return { ...common, leaseMs: 30_000, ttlMs: 60_000, ...draft };
}

async function one(stage: Scene, draft?: Partial<OnceClaim>, ports = stage.ports): Promise<ClaimAnswer> {
  const [answer] = await records(ports).claim([claimOn(stage, draft)]);
  return answer!;
}

export function onceCases({ promise, scene }: ContractKit): void {
  promise(
    'a key is granted to one message; another one is told how long it is busy, until it is released',
    async () => {
      const stage = await scene();
      expect(await one(stage)).toEqual(GRANTED);
      const answer = await one(stage, { messageId: 'b' }, await stage.process());
      expect(answer).toEqual(busy);
      expect(answer).toMatchObject({ leftMs: expect.any(Number) });
      if (answer.type === 'busy') expect(answer.leftMs > 0 && answer.leftMs <= 30_000).toBe(true);
      await records(stage.ports).release(claimOn(stage));
      expect(await one(stage, { messageId: 'b' })).toEqual(GRANTED);
    },
  );

  promise('keys of other names, groups and topics are other keys', async () => {
    const [stage, elsewhere] = [await scene(), await scene()];
    for (const draft of [{}, { name: 'l' }, { group: 'h' }])
      expect(await one(stage, { messageId: JSON.stringify(draft), ...draft })).toEqual(GRANTED);
    expect(await one(elsewhere, { messageId: 'b' })).toEqual(GRANTED);
  });

  promise('a claim that is asked again is granted again: a holder is never busy with itself', async () => {
    const stage = await scene();
    expect([await one(stage), await one(stage)]).toEqual([GRANTED, GRANTED]);
    expect(await records(stage.ports).complete(claimOn(stage))).toBe('completed');
  });

  promise('of fifty messages that ask at once from two processes one is granted its key', async () => {
    const stage = await scene({ shards: 2, queues: 4 });
    const processes = [stage.ports, await stage.process()];
    const asked = Array.from({ length: 50 }, (_, n) => one(stage, { messageId: `${n}` }, processes[n % 2]));
    expect((await Promise.all(asked)).filter(({ type }) => type === 'granted')).toHaveLength(1);
  });

  promise('several claims of one call get an answer each, in their order', async () => {
    const stage = await scene({ shards: 3, queues: 3 });
    await one(stage, { name: 'k2' });
    const claims = ['k1', 'k2', 'k3'].map((name) => claimOn(stage, { name, messageId: 'b' }));
    expect(await records(stage.ports).claim(claims)).toEqual([GRANTED, busy, GRANTED]);
  });

  promise(
    'a later hand-over of the same message takes its key over at once, and the earlier one has lost it',
    async () => {
      const stage = await scene();
      const [early, late] = [claimOn(stage), claimOn(stage, { fence: 101 })];
      await one(stage, early);
      expect(await one(stage, late, await stage.process())).toEqual(GRANTED);
      expect(await one(stage, early)).toEqual(busy);
      expect(await records(stage.ports).renew([early])).toEqual([]);
      expect(await records(stage.ports).complete(early, '1')).toBe('lost');
      await records(stage.ports).release(early);
      expect(await records(stage.ports).renew([late])).toEqual([late]);
      expect(await records(stage.ports).complete(late, '2')).toBe('completed');
      expect(await records(stage.ports).complete(early, '1')).toBe('lost');
      expect(await one(stage, { messageId: 'b' })).toEqual({ type: 'done', messageId: 'a', result: '2' });
    },
  );

  promise('a claim that has run out is taken over by another message, and its holder has lost it', async () => {
    const stage = await scene();
    const expired = claimOn(stage, { leaseMs: 50 });
    await one(stage, expired);
    await stage.subject.advance(80);
    expect(await one(stage, { messageId: 'b' })).toEqual(GRANTED);
    expect(await records(stage.ports).complete(expired)).toBe('lost');
    expect(await records(stage.ports).renew([expired])).toEqual([]);
    await records(stage.ports).release(expired);
    expect(await one(stage, { messageId: 'c' })).toEqual(busy);
  });

  promise('a claim that has run out and that nobody has taken is completed all the same', async () => {
    const stage = await scene();
    const expired = claimOn(stage, { leaseMs: 50 });
    await one(stage, expired);
    await stage.subject.advance(80);
    expect(await records(stage.ports).complete(expired)).toBe('completed');
  });

  promise('a claim that is renewed goes on for a lease', async () => {
    const stage = await scene();
    const claim = claimOn(stage, { leaseMs: 300 });
    await one(stage, claim);
    await stage.subject.advance(200);
    expect(await records(stage.ports).renew([claim])).toEqual([claim]);
    await stage.subject.advance(200);
    expect(await one(stage, { messageId: 'b' })).toEqual(busy);
  });

  promise('a key that was released cannot be completed: its message is to come again', async () => {
    const stage = await scene();
    await one(stage);
    await records(stage.ports).release(claimOn(stage));
    expect(await records(stage.ports).complete(claimOn(stage))).toBe('lost');
    expect(await one(stage, { messageId: 'b' })).toEqual(GRANTED);
  });

  promise('what is done is told to whoever asks, with the message that did it and its result', async () => {
    const stage = await scene();
    await one(stage);
    await records(stage.ports).complete(claimOn(stage), '{"receipt":"ü|1 2"}');
    const done = { type: 'done', messageId: 'a', result: '{"receipt":"ü|1 2"}' };
    expect(await one(stage, { messageId: 'b' }, await stage.process())).toEqual(done);
    expect(await one(stage, { fence: 101 })).toEqual(done);
    await records(stage.ports).release(claimOn(stage));
    expect(await one(stage)).toEqual(done);
    expect(await records(stage.ports).complete(claimOn(stage), '"another"')).toBe('completed');
    expect(await one(stage)).toEqual(done);
  });

  promise('message ids may hold anything', async () => {
    const stage = await scene();
    const odd = { messageId: '7:p 1 2\n%d|ü ' };
    expect([await one(stage, odd), await one(stage, odd)]).toEqual([GRANTED, GRANTED]);
    expect(await records(stage.ports).complete(claimOn(stage, odd))).toBe('completed');
    expect(await one(stage)).toEqual({ type: 'done', ...odd });
  });

  promise('what is done is forgotten after its time, counted from its end', async () => {
    const stage = await scene();
    const brief = claimOn(stage, { leaseMs: 50, ttlMs: 300 });
    await one(stage, brief);
    await stage.subject.advance(150);
    await records(stage.ports).complete(brief);
    await stage.subject.advance(200);
    expect(await one(stage, { messageId: 'b' })).toMatchObject({ type: 'done' });
    await stage.subject.advance(150);
    expect(await one(stage, { messageId: 'b' })).toEqual(GRANTED);
  });

  promise('after a replay a message may do again what it did before, once; other messages may not', async () => {
    const stage = await scene();
    await stage.send({ body: '1', messageId: 'a' });
    const member = await stage.member('g');
    const first = await member.drainOne();
    const claim = claimOn(stage, { fence: first.fence });
    await one(stage, claim);
    await records(stage.ports).complete(claim, '1');
    await member.ack(first);
    expect((await stage.ports.admin.replay(stage.topic, 'g', { to: 'first', dryRun: true })).putBack).toBe(1);
    expect(await one(stage, { fence: first.fence + 1 })).toMatchObject({ type: 'done' });
    await stage.ports.admin.replay(stage.topic, 'g', { to: 'first' });
    await stage.subject.advance(2);
    expect(await one(stage, { messageId: 'b', fence: first.fence + 5 })).toMatchObject({
      type: 'done',
      messageId: 'a',
    });
    const again = claimOn(stage, { fence: first.fence + 1 });
    expect(await one(stage, again)).toEqual(GRANTED);
    expect(await records(stage.ports).complete(again, '2')).toBe('completed');
    expect(await one(stage, { fence: first.fence + 2 })).toMatchObject({ type: 'done', result: '2' });
  });
}
