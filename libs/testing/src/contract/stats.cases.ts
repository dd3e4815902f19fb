import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import { FAILED_TWICE } from './outgoing.js';

export function statsCases({ promise, scene }: ContractKit): void {
  promise('an empty topic has zeros', async () => {
    const stage = await scene();
    await stage.member('g');
    expect(await stage.ports.admin.stats(stage.topic)).toEqual({
      topic: stage.topic,
      scheduled: 0,
      accepted: 0,
      cancelled: 0,
      half: 0,
      parkedHalves: 0,
      rolledBack: 0,
      groups: [
        {
          group: 'g',
          mode: 'concurrent',
          ready: 0,
          leased: 0,
          retrying: 0,
          parked: 0,
          dead: 0,
          done: 0,
          skipped: 0,
          replayed: 0,
          passed: 0,
          purged: 0,
          dropped: 0,
          expired: 0,
        },
      ],
    });
  });

  promise('every declared group is listed with its mode', async () => {
    const stage = await scene();
    await stage.member('one');
    await stage.member('two', { mode: 'ordered' });
    const { groups } = await stage.ports.admin.stats(stage.topic);
    expect(groups.map(({ group, mode }) => `${group} ${mode}`).toSorted()).toEqual(['one concurrent', 'two ordered']);
  });

  promise('a message is counted in the state it is in', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    const states = async () => {
      const { ready, leased, retrying, dead, done } = await stage.group('g');
      return { ready, leased, retrying, dead, done };
    };
    const none = { ready: 0, leased: 0, retrying: 0, dead: 0, done: 0 };
    await stage.send('a');
    expect(await states()).toEqual({ ...none, ready: 1 });
    const first = await member.drain();
    expect(await states()).toEqual({ ...none, leased: 1 });
    await member.settle(first, { type: 'retry', delayMs: 30, state: FAILED_TWICE });
    expect(await states()).toEqual({ ...none, retrying: 1 });
    await stage.promoteUntil(1);
    expect(await states()).toEqual({ ...none, ready: 1 });
    await stage.bury(member);
    expect(await states()).toEqual({ ...none, dead: 1 });
    await stage.ports.admin.redrive(stage.topic, 'g', { max: 1 });
    expect(await states()).toEqual({ ...none, ready: 1 });
    await member.ack(...(await member.drain()));
    expect(await states()).toEqual({ ...none, done: 1 });
  });

  promise('scheduled, accepted and cancelled are counted over all shards', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const due = { delayMs: 3_600_000 };
    const keys = Array.from({ length: 8 }, (_, number) => `k-${number}`);
    await stage.send(...keys.map((idempotencyKey) => ({ idempotencyKey, due })), 'plain');
    for (const idempotencyKey of keys.slice(0, 3)) await stage.ports.broker.cancel(stage.topic, { idempotencyKey });
    const other = await stage.process();
    expect(await other.admin.stats(stage.topic)).toMatchObject({ scheduled: 5, accepted: 9, cancelled: 3 });
  });

  promise('nothing gets lost between the states: their sum is what was accepted', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const member = await stage.member('g');
    const due = { delayMs: 3_600_000 };
    await stage.send(...Array.from({ length: 20 }, (_, number) => `${number}`));
    await stage.send({ idempotencyKey: 'k', due }, { idempotencyKey: 'l', due }, { idempotencyKey: 'k', due });
    await stage.ports.broker.cancel(stage.topic, { idempotencyKey: 'l' });
    const [acked, skipped, retried, dead, released, ...leased] = await member.drain();
    await member.ack(acked!);
    await member.settle([skipped!], { type: 'ack', skipped: true });
    await member.settle([retried!], { type: 'retry', delayMs: 60_000, state: FAILED_TWICE });
    await member.settle([dead!], { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
    await member.settle([released!], { type: 'release', delayMs: 0 });
    await stage.send('unread');
    const { scheduled, accepted, cancelled } = await stage.ports.admin.stats(stage.topic);
    const row = await stage.group('g');
    expect(row).toMatchObject({ done: 1, skipped: 1, retrying: 1, dead: 1, ready: 2, leased: leased.length });
    const inGroup = row.ready + row.leased + row.retrying + row.dead + row.done + row.skipped;
    expect({ accepted, sum: inGroup + scheduled + cancelled }).toEqual({ accepted: 23, sum: 23 });
  });
}
