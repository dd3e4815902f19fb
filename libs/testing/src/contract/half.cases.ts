import { expect } from '@jest/globals';
import type { BrokerPorts, HalfChecks, HalfRef, SendReceipt } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import { bodies, outgoing, type Draft } from './outgoing.js';
import type { Scene } from './scene.js';

const HOUR = 3_600_000;
const GROUP = 'shop';

type Prepared = HalfRef & { receipt: SendReceipt };

async function prepare(stage: Scene, draft: Draft = {}, checkAfterMs = HOUR, ports = stage.ports): Promise<Prepared> {
  const message = outgoing(stage.topic, draft);
  const result = await ports.half!.prepare(message, { producerGroup: GROUP, checkAfterMs });
  if (!result.ok) throw result.error;
  return { messageId: result.receipt.messageId, routingKey: message.routingKey, receipt: result.receipt };
}

const commit = (stage: Scene, ref: HalfRef, ports = stage.ports) => ports.half!.commit(stage.topic, ref);
const rollback = (stage: Scene, ref: HalfRef, ports = stage.ports) => ports.half!.rollback(stage.topic, ref);

interface Take {
  max?: number;
  intervalMs?: number;
  maxChecks?: number;
  ports?: BrokerPorts;
  group?: string;
}

function take(stage: Scene, { ports = stage.ports, group = GROUP, ...options }: Take = {}): Promise<HalfChecks> {
  return ports.half!.takeChecks(stage.topic, group, { max: 10, intervalMs: HOUR, maxChecks: 15, ...options });
}

/** Has it parked: one check, and then its next one is due. */
async function park(stage: Scene, draft: Draft = {}): Promise<Prepared> {
  const half = await prepare(stage, draft, 0);
  await take(stage, { intervalMs: 0, maxChecks: 1 });
  await stage.eventually('it is parked', async () => (await take(stage, { maxChecks: 1 })).parked.length > 0);
  return half;
}

export function halfCases({ promise, scene }: ContractKit): void {
  promise('a half message is delivered to nobody before its commit, and to every group after it', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const member = await stage.member('g');
    const half = await prepare(stage, { body: 'a' });
    expect(half.receipt).toMatchObject({ topic: stage.topic, duplicate: false, state: 'half' });
    await stage.promote();
    expect(await member.drain()).toEqual([]);
    expect(await commit(stage, half)).toEqual({ state: 'committed' });
    const [delivery, ...more] = await member.drain();
    expect(delivery!.message).toMatchObject({ messageId: half.messageId });
    expect(bodies([delivery!])).toEqual(['a']);
    expect(more).toEqual([]);
    expect(delivery!.queue + delivery!.shard * 2).toBe(half.receipt.queue);
  });

  promise('a half message that is rolled back is never delivered', async () => {
    const stage = await scene();
    const half = await prepare(stage);
    expect(await rollback(stage, half)).toEqual({ state: 'rolled-back' });
    expect(await take(stage)).toEqual({ checks: [], parked: [], nextInMs: undefined });
    expect(await (await stage.member('g')).drain()).toEqual([]);
    expect(await stage.ports.admin.stats(stage.topic)).toMatchObject({ accepted: 1, half: 0, rolledBack: 1 });
  });

  promise('the first decision holds: every later one is answered with it', async () => {
    const stage = await scene();
    const other = await stage.process();
    const [kept, gone] = [await prepare(stage, { body: 'a' }), await prepare(stage, { body: 'b' })];
    await commit(stage, kept);
    await rollback(stage, gone, other);
    for (const ports of [stage.ports, other]) {
      expect(await commit(stage, kept, ports)).toEqual({ state: 'committed' });
      expect(await rollback(stage, kept, ports)).toEqual({ state: 'committed' });
      expect(await rollback(stage, gone, ports)).toEqual({ state: 'rolled-back' });
      expect(await commit(stage, gone, ports)).toEqual({ state: 'rolled-back' });
    }
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a']);
  });

  promise('of many races between commit and rollback each has one outcome, and both are told of it', async () => {
    const stage = await scene();
    const other = await stage.process();
    const halves = await Promise.all(Array.from({ length: 40 }, (_, n) => prepare(stage, { body: `${n}` })));
    const races = halves.map(async (half, n) => {
      const [first, second] = n % 2 === 0 ? [stage.ports, other] : [other, stage.ports];
      const [a, b] = await Promise.all([commit(stage, half, first), rollback(stage, half, second)]);
      expect(a.state).toBe(b.state);
      return a.state === 'committed' ? [`${n}`] : [];
    });
    const committed = (await Promise.all(races)).flat();
    expect(bodies(await (await stage.member('g')).drain()).toSorted()).toEqual(committed.toSorted());
    expect(await stage.ports.admin.stats(stage.topic)).toMatchObject({
      accepted: 40,
      half: 0,
      rolledBack: 40 - committed.length,
    });
  });

  promise('what nobody has prepared is not found', async () => {
    const stage = await scene();
    const ref = { messageId: 'nobody', routingKey: 'nobody' };
    expect(await commit(stage, ref)).toEqual({ state: 'not-found' });
    expect(await rollback(stage, ref)).toEqual({ state: 'not-found' });
  });

  promise('a delay counts from the commit, an instant is what it is', async () => {
    const stage = await scene();
    const { now } = stage.subject;
    const at = now() + HOUR;
    const later = await prepare(stage, { body: 'delay', due: { delayMs: 200 } });
    const instant = await prepare(stage, { body: 'at', due: { atMs: at } });
    const past = await prepare(stage, { body: 'past', due: { atMs: now() + 100 } });
    await stage.subject.advance(150);
    const before = now();
    const answer = await commit(stage, later);
    expect(answer).toMatchObject({ state: 'committed' });
    const { dueAt } = answer as { dueAt: Date };
    expect(dueAt.getTime()).toBeGreaterThanOrEqual(before + 195);
    expect(dueAt.getTime()).toBeLessThanOrEqual(now() + 205);
    expect(await commit(stage, instant)).toEqual({ state: 'committed', dueAt: new Date(at) });
    expect(await commit(stage, past)).toEqual({ state: 'committed' });
    const member = await stage.member('g');
    expect(bodies(await member.drain())).toEqual(['past']);
    await stage.promoteUntil(1);
    expect(bodies(await member.drain())).toEqual(['delay']);
    expect(await commit(stage, later)).toEqual({ state: 'committed', dueAt });
    expect(await stage.ports.broker.cancel(stage.topic, { messageId: instant.messageId })).toBe('cancelled');
  });

  promise('the place in the order is taken at the commit', async () => {
    const stage = await scene();
    const orderingKey = 'x';
    const [first, second] = [
      await prepare(stage, { orderingKey, body: 'first' }),
      await prepare(stage, { orderingKey, body: 'second' }),
    ];
    await stage.send({ orderingKey, body: 'plain' });
    await commit(stage, second);
    await commit(stage, first);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['plain', 'second', 'first']);
  });

  promise(
    'a business key is taken from the preparation on: a second message under it gets the first receipt',
    async () => {
      const stage = await scene({ queues: 4, shards: 2 });
      const other = await stage.process();
      const draft = { idempotencyKey: 'k', body: 'a' };
      const half = await prepare(stage, draft);
      const duplicate = { ...half.receipt, duplicate: true };
      expect((await prepare(stage, draft, HOUR, other)).receipt).toEqual(duplicate);
      expect(await stage.sendFrom(other, draft)).toEqual([duplicate]);
      for (const body of ['b', 'c']) {
        const conflicting = outgoing(stage.topic, { idempotencyKey: 'k', body });
        const owner = { producerGroup: GROUP, checkAfterMs: HOUR };
        const conflict = { ok: false, error: { code: 'MQ_IDEMPOTENCY_CONFLICT', messageId: half.messageId } };
        expect(await other.half!.prepare(conflicting, owner)).toMatchObject(conflict);
      }
      await commit(stage, half);
      expect(await stage.sendFrom(other, draft)).toEqual([{ ...duplicate, state: 'accepted' }]);
      expect((await prepare(stage, draft)).receipt).toEqual({ ...duplicate, state: 'accepted' });
      expect(bodies(await (await stage.member('g')).drain())).toEqual(['a']);
      expect(await stage.ports.admin.stats(stage.topic)).toMatchObject({ accepted: 1, half: 0 });
    },
  );

  promise('the window of a business key begins with the commit', async () => {
    const stage = await scene({ idempotencyWindow: 150 });
    const draft = { idempotencyKey: 'k', body: 'a' };
    const half = await prepare(stage, draft);
    await stage.subject.advance(180);
    expect((await stage.send(draft))[0]).toMatchObject({ duplicate: true, state: 'half' });
    await commit(stage, half);
    expect((await stage.send(draft))[0]).toMatchObject({ duplicate: true, state: 'accepted' });
    await stage.subject.advance(200);
    expect((await stage.send({ idempotencyKey: 'k', body: 'b' }))[0]).toMatchObject({ duplicate: false });
  });

  promise(
    'a duplicate of a half message that was committed with a delay says scheduled, and it can be cancelled',
    async () => {
      const stage = await scene();
      const draft = { idempotencyKey: 'k', body: 'a', due: { delayMs: HOUR } };
      const half = await prepare(stage, draft);
      const { dueAt } = (await commit(stage, half)) as { dueAt: Date };
      expect((await stage.send(draft))[0]).toMatchObject({ duplicate: true, state: 'scheduled', dueAt });
      expect((await prepare(stage, draft)).receipt).toMatchObject({ duplicate: true, state: 'scheduled', dueAt });
      expect(await stage.ports.broker.cancel(stage.topic, { idempotencyKey: 'k' })).toBe('cancelled');
      expect((await prepare(stage, draft)).receipt).toMatchObject({ duplicate: false, state: 'half' });
    },
  );

  promise('a rollback frees the business key', async () => {
    const stage = await scene();
    const half = await prepare(stage, { idempotencyKey: 'k', body: 'a' });
    await rollback(stage, half);
    const again = await prepare(stage, { idempotencyKey: 'k', body: 'b' });
    expect(again.receipt).toMatchObject({ duplicate: false, state: 'half' });
    await commit(stage, again);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['b']);
  });

  promise('an id that is half already is refused under another key, and what is half keeps its body', async () => {
    const stage = await scene();
    const half = await prepare(stage, { messageId: 'm', idempotencyKey: 'k', body: 'a' });
    const taken = outgoing(stage.topic, { messageId: 'm', idempotencyKey: 'l', body: 'b' });
    const owner = { producerGroup: GROUP, checkAfterMs: HOUR };
    expect(await stage.ports.half!.prepare(taken, owner)).toMatchObject({
      ok: false,
      error: { code: 'MQ_IDEMPOTENCY_CONFLICT' },
    });
    await commit(stage, half);
    expect(bodies(await (await stage.member('g')).drain())).toEqual(['a']);
  });

  promise('what is half can be neither cancelled nor rescheduled: the caller is told that it is half', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const { broker } = stage.ports;
    const half = await prepare(stage, { idempotencyKey: 'k', due: { delayMs: HOUR } });
    for (const ref of [{ idempotencyKey: 'k' }, { messageId: half.messageId }]) {
      await expect(broker.cancel(stage.topic, ref)).rejects.toMatchObject({ code: 'MQ_HALF_PENDING' });
      await expect(broker.reschedule(stage.topic, ref, { delayMs: 1 })).rejects.toMatchObject({
        code: 'MQ_HALF_PENDING',
      });
    }
    expect(await commit(stage, half)).toMatchObject({ state: 'committed', dueAt: expect.any(Date) });
  });

  promise('a check is given out when it is due, to one process, with the message as it was sent', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const other = await stage.process();
    const half = await prepare(stage, { body: 'a', tag: 't', orderingKey: 'o' }, 300);
    const before = await take(stage);
    expect(before).toMatchObject({ checks: [], parked: [] });
    expect(before.nextInMs).toBeGreaterThan(0);
    expect(before.nextInMs).toBeLessThanOrEqual(300);
    await stage.subject.advance(320);
    const taken = await Promise.all([
      take(stage),
      take(stage, { ports: other }),
      take(stage),
      take(stage, { ports: other }),
    ]);
    const checks = taken.flatMap((one) => one.checks);
    expect(checks).toHaveLength(1);
    expect(checks[0]).toMatchObject({
      routingKey: 'o',
      checks: 1,
      message: { messageId: half.messageId, tag: 't', orderingKey: 'o' },
    });
    expect(checks[0]!.message.body.toString()).toBe('a');
    expect(Math.abs(checks[0]!.since.getTime() - stage.subject.now() + 320)).toBeLessThan(1_000);
    expect(await commit(stage, { messageId: half.messageId, routingKey: checks[0]!.routingKey }, other)).toEqual({
      state: 'committed',
    });
  });

  promise('checks of another producer group are not given out', async () => {
    const stage = await scene();
    await prepare(stage, {}, 0);
    expect(await take(stage, { group: 'other' })).toEqual({ checks: [], parked: [], nextInMs: undefined });
    expect((await take(stage)).checks).toHaveLength(1);
  });

  promise(
    'who is asked and does not answer is not asked again before the interval; then the count has grown',
    async () => {
      const stage = await scene();
      await prepare(stage, {}, 0);
      for (const checks of [1, 2, 3]) {
        const taken = await take(stage, { intervalMs: 300 });
        expect(taken.checks).toMatchObject([{ checks }]);
        expect(taken.nextInMs).toBeGreaterThan(0);
        expect((await take(stage)).checks).toEqual([]);
        await stage.subject.advance(320);
      }
    },
  );

  promise('no more checks are given out than asked for, the longest due first', async () => {
    const stage = await scene();
    for (const body of ['a', 'b', 'c']) {
      await prepare(stage, { body }, 0);
      await stage.subject.advance(2);
    }
    const asked = async (max: number) =>
      (await take(stage, { max })).checks.map(({ message }) => message.body.toString());
    expect(await asked(2)).toEqual(['a', 'b']);
    expect(await asked(2)).toEqual(['c']);
  });

  promise(
    'after its last check it is parked when the next one would be due, told once, and asked about no more',
    async () => {
      const stage = await scene();
      const half = await prepare(stage, { body: 'a', tag: 't', orderingKey: 'o' }, 0);
      for (const checks of [1, 2]) {
        expect((await take(stage, { intervalMs: 300, maxChecks: 2 })).checks).toMatchObject([{ checks }]);
        expect((await take(stage, { maxChecks: 2 })).parked).toEqual([]);
        await stage.subject.advance(320);
      }
      const { checks, parked, nextInMs } = await take(stage, { maxChecks: 2 });
      expect({ checks, nextInMs }).toEqual({ checks: [], nextInMs: undefined });
      expect(parked).toEqual([{ messageId: half.messageId, checks: 2, since: expect.any(Date) }]);
      expect(await take(stage, { maxChecks: 2 })).toEqual({ checks: [], parked: [], nextInMs: undefined });
      expect(await stage.ports.admin.stats(stage.topic)).toMatchObject({ accepted: 1, half: 1, parkedHalves: 1 });
      const [listed] = await stage.ports.admin.parkedHalves(stage.topic, { offset: 0, limit: 10 });
      expect(listed).toMatchObject({
        topic: stage.topic,
        messageId: half.messageId,
        producerGroup: GROUP,
        checks: 2,
        tag: 't',
        orderingKey: 'o',
      });
      expect(listed!.message.body.toString()).toBe('a');
      expect(listed!.parkedAt.getTime()).toBeGreaterThan(listed!.since.getTime());
    },
  );

  promise('a sender can decide nothing about a parked half message before an operator resumes it', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const { admin } = stage.ports;
    const half = await park(stage, { body: 'a', idempotencyKey: 'k' });
    expect(await commit(stage, half)).toEqual({ state: 'parked' });
    expect(await rollback(stage, half)).toEqual({ state: 'parked' });
    expect(await (await stage.member('g')).drain()).toEqual([]);
    expect(await admin.resumeHalf(stage.topic, half.messageId)).toBe('resumed');
    expect(await admin.resumeHalf(stage.topic, half.messageId)).toBe('not-parked');
    expect(await admin.stats(stage.topic)).toMatchObject({ half: 1, parkedHalves: 0 });
    expect((await take(stage)).checks).toMatchObject([{ checks: 1 }]);
    expect(await commit(stage, half)).toEqual({ state: 'committed' });
    expect(bodies(await (await stage.member('h')).drain())).toEqual(['a']);
  });

  promise('an operator commits or rolls back what is parked, and the sender is told so', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const { admin } = stage.ports;
    const [kept, gone] = [await park(stage, { body: 'a' }), await park(stage, { body: 'b', idempotencyKey: 'k' })];
    expect(await admin.commitHalf(stage.topic, kept.messageId)).toBe('committed');
    expect(await admin.rollbackHalf(stage.topic, gone.messageId)).toBe('rolled-back');
    for (const { messageId } of [kept, gone]) {
      expect(await admin.commitHalf(stage.topic, messageId)).toBe('not-parked');
      expect(await admin.rollbackHalf(stage.topic, messageId)).toBe('not-parked');
    }
    expect(await commit(stage, kept)).toEqual({ state: 'committed' });
    expect(await commit(stage, gone)).toEqual({ state: 'rolled-back' });
    expect((await stage.send({ idempotencyKey: 'k', body: 'c' }))[0]).toMatchObject({ duplicate: false });
    expect(bodies(await (await stage.member('g')).drain()).toSorted()).toEqual(['a', 'c']);
    expect(await admin.stats(stage.topic)).toMatchObject({ accepted: 3, half: 0, parkedHalves: 0, rolledBack: 1 });
  });

  promise('an operator decides nothing about what is not parked', async () => {
    const stage = await scene();
    const { admin } = stage.ports;
    const half = await prepare(stage);
    expect(await admin.commitHalf(stage.topic, half.messageId)).toBe('not-parked');
    expect(await admin.rollbackHalf(stage.topic, half.messageId)).toBe('not-parked');
    expect(await admin.resumeHalf(stage.topic, half.messageId)).toBe('not-parked');
    expect(await admin.stats(stage.topic)).toMatchObject({ half: 1 });
  });

  promise('parked half messages are listed page by page over all shards, the longest parked first', async () => {
    const stage = await scene({ queues: 8, shards: 4 });
    const parked: string[] = [];
    for (const body of ['a', 'b', 'c', 'd', 'e']) {
      parked.push((await park(stage, { body })).messageId);
      await stage.subject.advance(2);
    }
    const page = async (offset: number) =>
      (await stage.ports.admin.parkedHalves(stage.topic, { offset, limit: 2 })).map(({ messageId }) => messageId);
    expect([...(await page(0)), ...(await page(2)), ...(await page(4)), ...(await page(6))]).toEqual(parked);
  });

  promise('nothing is accepted twice: prepared, committed, rolled back and scheduled ones add up', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const drafts: Draft[] = [{ idempotencyKey: 'k' }, { due: { delayMs: HOUR } }, { orderingKey: 'o' }, {}, {}];
    const halves = [];
    for (const draft of drafts) halves.push(await prepare(stage, draft));
    for (const half of halves.slice(0, 3)) await commit(stage, half);
    await rollback(stage, halves[3]!);
    await stage.member('g');
    expect(await stage.group('g')).toMatchObject({ ready: 2 });
    expect(await stage.ports.admin.stats(stage.topic)).toMatchObject({
      accepted: 5,
      scheduled: 1,
      half: 1,
      parkedHalves: 0,
      rolledBack: 1,
      cancelled: 0,
    });
  });
}
