import { expect } from '@jest/globals';
import { FIRST_DELIVERY, type Delivery } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Member } from './member.js';
import { bodies, FAILED_TWICE } from './outgoing.js';
import type { MemberOptions, Scene } from './scene.js';

const LEASE = { leaseMs: 300 };
const NOTHING = { putBack: 0, interrupted: 0, skipped: 0 };

export function replayCases({ promise, scene }: ContractKit): void {
  /** A group that has finished what was sent. */
  async function finished(...sent: string[]): Promise<{ stage: Scene; member: Member; before: Delivery[] }> {
    const stage = await scene({ queues: 2 });
    const member = await stage.member('g');
    if (sent.length > 0) await stage.send(...sent);
    const before = await member.drain();
    await member.ack(...before);
    return { stage, member, before };
  }

  promise(
    'to the first brings back everything that is kept, to this group alone, as in its first attempt',
    async () => {
      const { stage, member, before } = await finished('a', 'b', 'c');
      const other = await stage.member('other');
      await other.ack(...(await other.drain()));
      const report = await stage.ports.admin.replay(stage.topic, 'g', { to: 'first' });
      expect(report).toEqual({ ...NOTHING, putBack: 3 });
      const again = await member.reclaim();
      expect(bodies(again).toSorted()).toEqual(['a', 'b', 'c']);
      for (const delivery of again) {
        expect(delivery.state).toEqual(FIRST_DELIVERY);
        const first = before.find(({ message }) => message.messageId === delivery.message.messageId);
        expect(delivery.fence).toBeGreaterThan(first!.fence);
      }
      expect(await member.ack(...again)).toEqual(['settled', 'settled', 'settled']);
      expect(await stage.group('g')).toMatchObject({ done: 6, replayed: 3, leased: 0, ready: 0 });
      expect([...(await other.reclaim()), ...(await other.drain())]).toEqual([]);
    },
  );

  promise('to an instant brings back what became ready from then on', async () => {
    const { stage, member } = await finished('before');
    await stage.subject.advance(20);
    const to = new Date(stage.subject.now());
    await stage.subject.advance(20);
    await stage.send('after');
    await member.ack(...(await member.drain()));
    expect(await stage.ports.admin.replay(stage.topic, 'g', { to })).toEqual({ ...NOTHING, putBack: 1 });
    expect(bodies(await member.reclaim())).toEqual(['after']);
  });

  promise(
    'takes leased messages from their holders, who lose the lease; none is lost, no crash is counted',
    async () => {
      const { stage, member } = await finished('a');
      await stage.send('b', 'c');
      const held = await member.drain();
      await member.ports.broker.markStarted(held);
      const report = await stage.ports.admin.replay(stage.topic, 'g', { to: 'first' });
      expect(report).toEqual({ ...NOTHING, putBack: 1, interrupted: 2 });
      expect(await member.ports.broker.renew(held)).toEqual([]);
      expect(await member.ack(...held)).toEqual(['lease-lost', 'lease-lost']);
      const again = await member.reclaim();
      expect(bodies(again).toSorted()).toEqual(['a', 'b', 'c']);
      expect(again.map(({ state }) => state.crashes)).toEqual([0, 0, 0]);
      for (const late of held) {
        const next = again.find(({ message }) => message.messageId === late.message.messageId);
        expect(next!.fence).toBeGreaterThan(late.fence);
      }
    },
  );

  promise('counts no crash either for what was taken over and started before', async () => {
    const stage = await scene();
    const member = await stage.member('g', LEASE);
    await stage.send('a');
    await member.drain();
    await member.expireLeases();
    const taken = await member.reclaim();
    await member.ports.broker.markStarted(taken);
    await stage.ports.admin.replay(stage.topic, 'g', { to: 'first' });
    const [again] = await member.reclaim();
    expect(again!.state.crashes).toBe(0);
    expect(again!.fence).toBeGreaterThan(taken[0]!.fence);
  });

  promise('asked again at once puts nothing back a second time', async () => {
    const { stage, member } = await finished('a', 'b');
    await stage.ports.admin.replay(stage.topic, 'g', { to: 'first' });
    expect(await (await stage.process()).admin.replay(stage.topic, 'g', { to: 'first' })).toEqual(NOTHING);
    expect(await member.reclaim()).toHaveLength(2);
    expect(await member.reclaim()).toEqual([]);
  });

  promise('leaves what is unread where it is, and what waits for its next attempt to that', async () => {
    const { stage, member } = await finished();
    await stage.send('retrying');
    await member.settle(await member.drain(), { type: 'retry', delayMs: 60_000, state: FAILED_TWICE });
    await stage.send('unread');
    expect(await stage.ports.admin.replay(stage.topic, 'g', { to: 'first' })).toEqual(NOTHING);
    expect(await member.reclaim()).toEqual([]);
    expect(bodies(await member.drain())).toEqual(['unread']);
    expect(await stage.group('g')).toMatchObject({ retrying: 1, leased: 1 });
  });

  promise('put back messages are not trimmed before they are finished', async () => {
    const stage = await scene({ retention: '1h', retentionCount: 0, retentionBytes: 0 });
    const member = await stage.member('g');
    const sent = Array.from({ length: 400 }, (_, number) => `${number}`);
    await stage.send(...sent);
    await member.ack(...(await member.drain()));
    await stage.ports.admin.replay(stage.topic, 'g', { to: 'first' });
    await stage.ports.broker.trim(stage.topic);
    expect(await member.reclaim(8)).toHaveLength(400);
  });

  promise('to the last skips the backlog and counts it: unread, leased and retrying', async () => {
    const { stage, member } = await finished();
    await stage.send('leased', 'delayed retry', 'ready retry');
    const [held, delayed, ready] = await member.drain();
    await member.settle([delayed!], { type: 'retry', delayMs: 60_000, state: FAILED_TWICE });
    await member.settle([ready!], { type: 'retry', delayMs: 0, state: FAILED_TWICE });
    await stage.send('unread', 'unread', 'unread');
    const report = await stage.ports.admin.replay(stage.topic, 'g', { to: 'last' });
    expect(report).toEqual({ ...NOTHING, skipped: 6 });
    expect(await member.ack(held!)).toEqual(['lease-lost']);
    await stage.send('new');
    expect(bodies(await member.drain())).toEqual(['new']);
    expect(await stage.group('g')).toMatchObject({ passed: 6, ready: 0, leased: 1, retrying: 0, done: 0 });
  });

  promise('to an instant beyond what was read skips what lies before it', async () => {
    const { stage, member } = await finished();
    await stage.send('a', 'b');
    await stage.subject.advance(20);
    const to = new Date(stage.subject.now());
    await stage.subject.advance(20);
    await stage.send('c');
    expect(await stage.ports.admin.replay(stage.topic, 'g', { to })).toEqual({ ...NOTHING, skipped: 2 });
    expect(bodies(await member.drain())).toEqual(['c']);
  });

  promise('a dry run counts the same and changes nothing', async () => {
    const { stage, member } = await finished('a', 'b');
    await stage.send('held');
    const held = await member.drain();
    await stage.send('unread');
    const { admin } = stage.ports;
    const before = await admin.stats(stage.topic);
    const dryRun = true;
    expect(await admin.replay(stage.topic, 'g', { to: 'first', dryRun })).toEqual({
      ...NOTHING,
      putBack: 2,
      interrupted: 1,
    });
    expect(await admin.replay(stage.topic, 'g', { to: 'last', dryRun })).toEqual({ ...NOTHING, skipped: 2 });
    expect(await admin.stats(stage.topic)).toEqual(before);
    expect(await member.ack(...held)).toEqual(['settled']);
    expect(bodies(await member.drain())).toEqual(['unread']);
  });

  promise('works on every shard and on more than one step can move', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const member = await stage.member('g');
    const sent = Array.from({ length: 1300 }, (_, number) => `${number}`);
    await stage.send(...sent);
    await member.ack(...(await member.drain()));
    expect(await stage.ports.admin.replay(stage.topic, 'g', { to: 'first' })).toMatchObject({ putBack: 1300 });
    expect(bodies(await member.reclaim(16)).toSorted()).toEqual(sent.toSorted());
    await stage.send(...sent);
    expect(await stage.ports.admin.replay(stage.topic, 'g', { to: 'last', dryRun: true })).toMatchObject({
      skipped: 2600,
    });
    expect(await stage.ports.admin.replay(stage.topic, 'g', { to: 'last' })).toMatchObject({ skipped: 2600 });
    expect(await member.drain()).toEqual([]);
  });

  promise(
    'is refused where messages were trimmed away, unless the earliest kept will do; the gap is reported',
    async () => {
      const stage = await scene({ retention: 0 });
      const member = await stage.member('g');
      const to = new Date(stage.subject.now() - 1000);
      await stage.send(...Array.from({ length: 400 }, (_, number) => `${number}`));
      await member.ack(...(await member.drain()));
      await stage.subject.advance(2);
      expect(await stage.ports.broker.trim(stage.topic)).toBeGreaterThan(0);
      await stage.send('kept');
      await member.ack(...(await member.drain()));
      const { admin } = stage.ports;
      const refused = { name: 'TopicError', code: 'MQ_REPLAY_TRIMMED', topic: stage.topic };
      await expect(admin.replay(stage.topic, 'g', { to })).rejects.toMatchObject(refused);
      expect(await member.reclaim()).toEqual([]);
      const report = await admin.replay(stage.topic, 'g', { to, ifTrimmed: 'earliest' });
      expect(report.gap).toMatchObject({ from: to, earliestKept: expect.any(Date) });
      expect(bodies(await member.reclaim(8))).toContain('kept');
    },
  );

  promise('of a group or topic that is not there is a typed error', async () => {
    const { stage } = await finished('a');
    const { admin } = stage.ports;
    await expect(admin.replay(stage.topic, 'nobody', { to: 'first' })).rejects.toMatchObject({
      code: 'MQ_GROUP_NOT_FOUND',
    });
    await expect(admin.replay(`${stage.topic}-no`, 'g', { to: 'first' })).rejects.toMatchObject({
      code: 'MQ_TOPIC_NOT_FOUND',
    });
    await expect(admin.replay(stage.topic, 'g', { to: 'yesterday' as 'first' })).rejects.toMatchObject({
      option: 'replay.to',
    });
  });

  promise(
    'of an ordered group takes the queue from its owner, and brings everything back in order',
    async () => {
      const ORDERED: MemberOptions = { mode: 'ordered', ...LEASE };
      const stage = await scene();
      const one = await (await stage.member('g', ORDERED)).own(0);
      const orderingKey = 'k';
      await stage.send({ body: 'a', orderingKey }, { body: 'b', orderingKey }, { body: 'c', orderingKey });
      const [first, second, third] = await one.drain();
      await one.ack(first!, second!);
      await stage.send({ body: 'd', orderingKey });
      const report = await stage.ports.admin.replay(stage.topic, 'g', { to: 'first' });
      expect(report).toEqual({ ...NOTHING, putBack: 2, interrupted: 1 });
      expect(await one.ack(third!)).toEqual(['lease-lost']);
      expect(await one.drain()).toEqual([]);
      const lease = await one.acquire(0);
      expect(lease!.epoch).toBeGreaterThan(one.leases[0]!.epoch);
      one.leases = [lease!];
      const again = await one.drain();
      expect(bodies(again)).toEqual(['a', 'b', 'c', 'd']);
      expect(again[0]!.fence).toBeGreaterThanOrEqual(first!.fence);
      expect(await one.ack(...again)).toEqual(again.map(() => 'settled'));
    },
    'orderedMode',
  );

  promise(
    'nothing gets lost between the states after replays: their sum is what was accepted and put back',
    async () => {
      const { stage, member } = await finished('a', 'b', 'c');
      await stage.send('d', 'e');
      const [one] = await member.drain();
      await member.settle([one!], { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
      await stage.ports.admin.replay(stage.topic, 'g', { to: 'first' });
      await member.ack(...(await member.reclaim()).slice(1));
      await stage.send('f');
      await stage.ports.admin.replay(stage.topic, 'g', { to: 'last' });
      await stage.send('g');
      const { accepted } = await stage.ports.admin.stats(stage.topic);
      const row = await stage.group('g');
      const states = row.ready + row.leased + row.retrying + row.dead + row.purged;
      const sum = states + row.done + row.skipped + row.expired + row.dropped + row.passed;
      expect({ accepted, sum }).toEqual({ accepted: 7, sum: 7 + row.replayed });
    },
  );

  promise(
    'of an ordered group leaves a parked message to its key going back, and skips it going to the last',
    async () => {
      const stage = await scene();
      const one = await (await stage.member('g', { mode: 'ordered', ...LEASE })).own(0);
      await stage.send({ body: 'parked', orderingKey: 'k' }, { body: 'done', orderingKey: 'other' });
      const [parked, done] = await one.drain();
      await one.settle([parked!], { type: 'retry', delayMs: 60_000, state: FAILED_TWICE });
      await one.ack(done!);
      const { admin } = stage.ports;
      expect(await admin.replay(stage.topic, 'g', { to: 'first' })).toEqual({ ...NOTHING, putBack: 1 });
      expect(await stage.group('g')).toMatchObject({ retrying: 1, replayed: 1 });
      expect(await admin.replay(stage.topic, 'g', { to: 'last', dryRun: true })).toEqual({ ...NOTHING, skipped: 2 });
      expect(await admin.replay(stage.topic, 'g', { to: 'last' })).toEqual({ ...NOTHING, skipped: 2 });
      expect(await stage.group('g')).toMatchObject({ retrying: 0, ready: 0, leased: 0, passed: 2 });
      await stage.send({ body: 'new', orderingKey: 'k' });
      one.leases = [(await one.acquire(0))!];
      expect(bodies(await one.drain())).toEqual(['new']);
    },
    'orderedMode',
  );
}
