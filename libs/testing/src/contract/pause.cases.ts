import { expect } from '@jest/globals';
import type { GroupLimits, PauseOptions } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Member } from './member.js';

const WHO = { by: 'ana', why: 'a “bad” deploy' };

/** What is in force for a member, without the time it has left. */
async function pausesOf(member: Member): Promise<object[]> {
  const { pauses } = await member.ports.control.beat(member.subscription);
  return pauses.map((pause) => ({ ...pause, leftMs: undefined }));
}

export function pauseCases({ promise, scene }: ContractKit): void {
  promise('a pause of a group is seen by all its members, with who and why, and by no other group', async () => {
    const stage = await scene();
    const [one, other] = [await stage.member('g', { ports: await stage.process() }), await stage.member('other')];
    await stage.ports.admin.pause(stage.topic, { group: 'g', ...WHO });
    const pause = { scope: 'group', ...WHO, since: expect.any(Date) };
    expect(await pausesOf(one)).toEqual([pause]);
    expect(await pausesOf(other)).toEqual([]);
    expect(await stage.group('g')).toMatchObject({ paused: pause });
    expect(await stage.group('other')).not.toHaveProperty('paused');
    const [{ since }] = (await pausesOf(one)) as [{ since: Date }];
    expect(Math.abs(since.getTime() - stage.subject.now())).toBeLessThan(5_000);
  });

  promise('a pause of a topic is seen by all its groups', async () => {
    const stage = await scene();
    const members = [await stage.member('one'), await stage.member('two')];
    await stage.ports.admin.pause(stage.topic, WHO);
    for (const member of members) expect(await pausesOf(member)).toMatchObject([{ scope: 'topic', ...WHO }]);
  });

  promise('a process that starts later sees the pause with its first beat', async () => {
    const stage = await scene();
    await stage.member('g');
    await stage.ports.admin.pause(stage.topic, { group: 'g', ...WHO });
    expect(await pausesOf(await stage.member('g', { ports: await stage.process() }))).toHaveLength(1);
  });

  promise('a resume ends the pause of its own scope only, and says whether there was one', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    const { admin } = stage.ports;
    await admin.pause(stage.topic, { group: 'g', ...WHO });
    await admin.pause(stage.topic, WHO);
    expect(await admin.resume(stage.topic)).toBe(true);
    expect(await admin.resume(stage.topic)).toBe(false);
    expect(await pausesOf(member)).toMatchObject([{ scope: 'group' }]);
    expect(await admin.resume(stage.topic, { group: 'g' })).toBe(true);
    expect(await pausesOf(member)).toEqual([]);
  });

  promise('a second pause replaces the first', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    await stage.ports.admin.pause(stage.topic, WHO);
    await stage.ports.admin.pause(stage.topic, { by: 'ben', why: 'longer' });
    expect(await pausesOf(member)).toMatchObject([{ by: 'ben', why: 'longer' }]);
  });

  promise('a pause with an end is over at its end, without anybody resuming', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    const until = new Date(stage.subject.now() + 150);
    await stage.ports.admin.pause(stage.topic, { ...WHO, until });
    const [pause] = (await member.ports.control.beat(member.subscription)).pauses;
    expect(pause).toMatchObject({ until });
    expect(pause!.leftMs).toBeGreaterThan(0);
    expect(pause!.leftMs).toBeLessThanOrEqual(160);
    await stage.subject.advance(170);
    expect(await pausesOf(member)).toEqual([]);
    expect(await stage.ports.admin.resume(stage.topic)).toBe(false);
  });

  promise('what is not there cannot be paused, and bad orders are refused', async () => {
    const stage = await scene();
    const { admin } = stage.ports;
    const missing = { name: 'TopicError', code: 'MQ_TOPIC_NOT_FOUND' };
    await expect(admin.pause(`${stage.topic}-no`, WHO)).rejects.toMatchObject(missing);
    await expect(admin.pause(stage.topic, { group: 'nobody', ...WHO })).rejects.toMatchObject(missing);
    await expect(admin.resume(stage.topic, { group: 'nobody' })).rejects.toMatchObject(missing);
    await expect(admin.setLimits(stage.topic, 'nobody', {})).rejects.toMatchObject(missing);
    await stage.member('g');
    const bad: [string, PauseOptions][] = [
      ['pause.by', { by: '', why: 'x' }],
      ['pause.why', { by: 'x' } as PauseOptions],
      ['pause.until', { ...WHO, until: new Date(NaN) }],
      ['pause.group', { ...WHO, group: 'a b' }],
      ['pause.til', { ...WHO, til: 1 } as PauseOptions],
    ];
    for (const [option, order] of bad)
      await expect(admin.pause(stage.topic, order)).rejects.toMatchObject({ name: 'InvalidOptionError', option });
    const limits: [string, GroupLimits][] = [
      ['limits.rateLimit.max', { rateLimit: { max: 0, per: '1s' } }],
      ['limits.rateLimit.per', { rateLimit: { max: 1, per: '2d' } }],
      ['limits.groupConcurrency', { groupConcurrency: 0.5 }],
    ];
    for (const [option, order] of limits)
      await expect(admin.setLimits(stage.topic, 'g', order)).rejects.toMatchObject({ option });
    expect(await pausesOf(await stage.member('g'))).toEqual([]);
  });

  promise('limits are stored as a whole, and seen by every member of the group', async () => {
    const stage = await scene();
    const member = await stage.member('g', { ports: await stage.process() });
    const limits = async (): Promise<object> => (await member.ports.control.beat(member.subscription)).limits;
    await stage.ports.admin.setLimits(stage.topic, 'g', { rateLimit: { max: 5, per: '2s' }, groupConcurrency: 3 });
    expect(await limits()).toEqual({ rateLimit: { max: 5, perMs: 2000 }, groupConcurrency: 3 });
    await stage.ports.admin.setLimits(stage.topic, 'g', { rateLimit: 'unlimited' });
    expect(await limits()).toEqual({ rateLimit: 'unlimited' });
    await stage.ports.admin.setLimits(stage.topic, 'g', {});
    expect(await limits()).toEqual({});
  });
}
