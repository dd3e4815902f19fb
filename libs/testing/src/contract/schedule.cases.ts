// The records of recurring messages; their ticks are ordinary messages, which other cases look after.
import { expect } from '@jest/globals';
import type { ScheduleStore, StoredRule, StoredSchedule } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Scene } from './scene.js';

const RULE: StoredRule = { cron: '0 3 * * *', timeZone: 'UTC', missed: 'skip' };
const CONTENT = '{"body":{"n":"“1”/ü"},"options":{}}';
const SCHEDULE = { rule: RULE, orderingKey: '', content: CONTENT };
const WHO = { by: 'ana', why: 'a “bad” deploy' };

export function scheduleCases({ promise, scene }: ContractKit): void {
  promise('a topic that never had recurring messages says so', async () => {
    const stage = await scene();
    expect(await store(stage).read(stage.topic)).toBeUndefined();
  });

  promise('a schedule is kept with its rule and content, for every process, and listed by name', async () => {
    const stage = await scene({ shards: 2, queues: 2 });
    const other = (await stage.process()).schedules!;
    const before = stage.subject.now();
    expect(await store(stage).put(stage.topic, 'b', SCHEDULE)).toBe('created');
    expect(await store(stage).put(stage.topic, 'a/x:y', { ...SCHEDULE, orderingKey: 'k"ü' })).toBe('created');
    const read = (await other.read(stage.topic))!;
    expect(read.schedules.map(({ name }) => name)).toEqual(['a/x:y', 'b']);
    expect(read.schedules[0]).toMatchObject({ rule: RULE, orderingKey: 'k"ü', drops: [], removed: false });
    expect(read.schedules[1]!.from).toBeGreaterThanOrEqual(before - 100);
    expect(read.since).toBeGreaterThanOrEqual(before - 100);
    expect((await store(stage).read(stage.topic))!.since).toBe(read.since);
    expect(read.now).toBeGreaterThanOrEqual(read.schedules[1]!.from);
    expect(await other.content(stage.topic, 'b')).toBe(CONTENT);
    expect((await other.read(stage.topic, 'b'))!.schedules).toEqual([read.schedules[1]]);
    expect((await other.read(stage.topic, 'c'))!.schedules).toEqual([]);
    expect(await other.content(stage.topic, 'c')).toBeUndefined();
  });

  promise('the same again changes nothing; another rule, content or ordering key gets a higher revision', async () => {
    const stage = await scene();
    const put = (schedule: typeof SCHEDULE): Promise<string> => store(stage).put(stage.topic, 's', schedule);
    await put(SCHEDULE);
    const first = await one(stage);
    expect(await put({ ...SCHEDULE })).toBe('unchanged');
    expect(await one(stage)).toEqual(first);
    const others = [
      { ...SCHEDULE, content: '{}' },
      { ...SCHEDULE, orderingKey: 'k' },
    ];
    let { revision } = first;
    for (const other of [...others, { ...SCHEDULE, rule: { ...RULE, cron: '1 3 * * *' } }]) {
      expect(await put(other)).toBe('changed');
      const next = await one(stage);
      expect(next.revision).toBeGreaterThan(revision);
      ({ revision } = next);
    }
  });

  promise('a tick is planned by one of several processes; until it is sent, whoever asks may send it', async () => {
    const stage = await scene();
    const other = (await stage.process()).schedules!;
    await store(stage).put(stage.topic, 's', SCHEDULE);
    const { revision, from } = await one(stage);
    const at = from + 60_000;
    const tick = { revision, at, after: from };
    expect(await store(stage).plan(stage.topic, 's', tick)).toEqual({ content: CONTENT });
    expect(await one(stage)).toMatchObject({ tick: { at, sent: false } });
    expect(await other.plan(stage.topic, 's', { ...tick, at: at + 1 })).toBeUndefined();
    expect(await other.plan(stage.topic, 's', tick)).toEqual({ content: CONTENT });
    await other.sent(stage.topic, 's', { revision, at });
    expect(await store(stage).plan(stage.topic, 's', tick)).toBe('sent');
    expect(await one(stage)).toMatchObject({ tick: { at, sent: true } });
  });

  promise(
    'the next tick follows the one before, never the same instant or an earlier one, and only for this revision',
    async () => {
      const stage = await scene();
      await store(stage).put(stage.topic, 's', SCHEDULE);
      const { revision, from } = await one(stage);
      const plan = (at: number, after: number, of = revision): Promise<unknown> =>
        store(stage).plan(stage.topic, 's', { revision: of, at, after });
      expect(await plan(from + 5, from + 1)).toBeUndefined();
      expect(await plan(from, from)).toBeUndefined();
      expect(await plan(from + 5, from, revision + 1)).toBeUndefined();
      expect(await store(stage).plan(stage.topic, 'other', { revision, at: from + 5, after: from })).toBeUndefined();
      expect(await plan(from + 5, from)).toBeDefined();
      expect(await plan(from + 4, from + 5)).toBeUndefined();
      expect(await plan(from + 9, from + 5)).toBeDefined();
      expect(await one(stage)).toMatchObject({ tick: { at: from + 9, sent: false }, lastAt: from + 5 });
      await store(stage).sent(stage.topic, 's', { revision, at: from + 5 });
      expect(await one(stage)).toMatchObject({ tick: { at: from + 9, sent: false } });
    },
  );

  promise('a pause says who and why, holds over changes, and drops the tick that waits', async () => {
    const stage = await scene();
    const { at, revision } = await planned(stage);
    expect(await store(stage).pause(stage.topic, 's', WHO)).toBe(true);
    const paused = await one(stage);
    expect(paused).toMatchObject({ pause: { ...WHO, since: expect.any(Number) }, tick: undefined });
    expect(paused.drops).toMatchObject([{ revision, at, orderingKey: 'k', open: true }]);
    await store(stage).dropped(stage.topic, 's', { revision, at }, 'cancelled');
    await store(stage).put(stage.topic, 's', SCHEDULE);
    expect(await one(stage)).toMatchObject({ pause: WHO, drops: [{ revision, at, open: false }] });
    const next = await one(stage);
    const tick = { revision: next.revision, at: next.from + 60_000, after: next.from };
    expect(await store(stage).plan(stage.topic, 's', tick)).toBeUndefined();
    await stage.subject.advance(5);
    expect(await store(stage).resume(stage.topic, 's')).toBe(true);
    expect(await store(stage).resume(stage.topic, 's')).toBe(false);
    const resumed = await one(stage);
    expect(resumed.pause).toBeUndefined();
    expect(resumed.from).toBeGreaterThan(next.from);
    // What is planned now must not be taken for what was dropped.
    expect(resumed.revision).toBeGreaterThan(next.revision);
  });

  promise('nothing new is planned before a cancel of what was dropped is answered', async () => {
    const stage = await scene();
    const { at, revision } = await planned(stage);
    await store(stage).put(stage.topic, 's', SCHEDULE);
    const changed = await one(stage);
    expect(changed.drops).toHaveLength(1);
    const tick = { revision: changed.revision, at: at + 1, after: changed.from };
    expect(await store(stage).plan(stage.topic, 's', tick)).toBeUndefined();
    await store(stage).dropped(stage.topic, 's', { revision, at }, 'cancelled');
    await store(stage).dropped(stage.topic, 's', { revision, at }, 'cancelled');
    expect(await store(stage).plan(stage.topic, 's', tick)).toEqual({ content: CONTENT });
  });

  promise('a dropped tick that was delivered all the same counts: the new revision goes on after it', async () => {
    const stage = await scene();
    const { at, revision } = await planned(stage);
    await store(stage).put(stage.topic, 's', SCHEDULE);
    await store(stage).dropped(stage.topic, 's', { revision, at }, 'already-delivered');
    expect(await one(stage)).toMatchObject({ from: at, lastAt: at, drops: [] });
  });

  promise('a dropped tick is watched, whether it was found or not: somebody else may be sending it too', async () => {
    const stage = await scene();
    const cancelled = await planned(stage);
    await store(stage).pause(stage.topic, 's', WHO);
    await store(stage).dropped(stage.topic, 's', cancelled, 'cancelled');
    await store(stage).resume(stage.topic, 's');
    const missed = await planned(stage, { send: false });
    await store(stage).pause(stage.topic, 's', WHO);
    await store(stage).dropped(stage.topic, 's', missed, 'not-found');
    expect((await one(stage)).drops).toMatchObject([
      { at: cancelled.at, open: false },
      { at: missed.at, open: false },
    ]);
  });

  promise('a removed schedule is gone with its last drop; its name can be used again at once', async () => {
    const stage = await scene();
    const { at, revision } = await planned(stage);
    expect(await store(stage).remove(stage.topic, 's')).toBe(true);
    expect(await store(stage).remove(stage.topic, 's')).toBe(false);
    expect(await one(stage)).toMatchObject({ removed: true, drops: [{ at, revision }] });
    expect(await store(stage).content(stage.topic, 's')).toBeUndefined();
    expect(await store(stage).pause(stage.topic, 's', WHO)).toBe(false);
    expect(await store(stage).put(stage.topic, 's', SCHEDULE)).toBe('created');
    const again = await one(stage);
    expect(again).toMatchObject({ removed: false, drops: [{ at, revision }] });
    expect(again.revision).toBeGreaterThan(revision);
    await store(stage).remove(stage.topic, 's');
    await store(stage).dropped(stage.topic, 's', { revision, at }, 'cancelled');
    expect(await one(stage)).toMatchObject({ removed: true, drops: [{ at, revision, open: false }] });
    await store(stage).dropped(stage.topic, 's', { revision, at }, 'already-delivered');
    expect((await store(stage).read(stage.topic))!.schedules).toEqual([]);
  });

  promise('whoever looks for idle groups is told that there are recurring messages', async () => {
    const stage = await scene();
    const look = (): Promise<{ hasSchedules?: boolean }> =>
      stage.ports.control.checkIdle(stage.topic, { idleAfterMs: 60_000 });
    expect((await look()).hasSchedules).toBeUndefined();
    await store(stage).put(stage.topic, 's', SCHEDULE);
    expect(await look()).toEqual({ idle: [], expired: [], hasSchedules: true });
  });
}

function store(stage: Scene): ScheduleStore {
  return stage.ports.schedules!;
}

async function one(stage: Scene): Promise<StoredSchedule> {
  return (await store(stage).read(stage.topic, 's'))!.schedules[0]!;
}

/** A schedule with a tick that waits, in a minute. */
async function planned(stage: Scene, { send = true } = {}): Promise<{ revision: number; at: number }> {
  await store(stage).put(stage.topic, 's', { ...SCHEDULE, orderingKey: 'k' });
  const { revision, from } = await one(stage);
  const tick = { revision, at: from + 60_000 };
  expect(await store(stage).plan(stage.topic, 's', { ...tick, after: from })).toBeDefined();
  if (send) await store(stage).sent(stage.topic, 's', tick);
  return tick;
}
