import { expect } from '@jest/globals';
import type { HeldSlots } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Member } from './member.js';

function hold(member: Member, running: number, wanted: number, code = 4): Promise<HeldSlots> {
  return member.ports.control.holdSlots(member.subscription, code, { running, wanted });
}

export function slotsCases({ promise, scene }: ContractKit): void {
  promise('one member alone gets the slots it wants, up to the limit', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    expect(await hold(member, 0, 3)).toEqual({ held: 3, share: 3 });
    expect(await hold(member, 3, 10)).toEqual({ held: 4, share: 4 });
  });

  promise(
    'slots that are held are not given to another one, and its fair share tells the holder to make room',
    async () => {
      const stage = await scene();
      const [one, two] = [await stage.member('g'), await stage.member('g', { ports: await stage.process() })];
      await hold(one, 0, 10);
      expect(await hold(two, 0, 10)).toEqual({ held: 0, share: 2 });
      expect(await hold(one, 4, 10)).toEqual({ held: 4, share: 2 });
      expect(await hold(one, 3, 10)).toEqual({ held: 3, share: 2 });
      expect(await hold(two, 0, 10)).toEqual({ held: 1, share: 2 });
      expect(await hold(one, 1, 10)).toEqual({ held: 2, share: 2 });
      expect(await hold(two, 1, 10)).toEqual({ held: 2, share: 2 });
    },
  );

  promise('what one member does not want is shared by the others', async () => {
    const stage = await scene();
    const [one, two, three] = [await stage.member('g'), await stage.member('g'), await stage.member('g')];
    await hold(one, 0, 1, 9);
    await hold(two, 0, 20, 9);
    await hold(three, 0, 20, 9);
    expect(await hold(two, 0, 20, 9)).toMatchObject({ share: 4 });
    expect(await hold(three, 0, 20, 9)).toMatchObject({ share: 4 });
    expect(await hold(one, 1, 1, 9)).toEqual({ held: 1, share: 1 });
  });

  promise('a single slot goes round among those who want it, longest without it first', async () => {
    const stage = await scene();
    const members = [await stage.member('g'), await stage.member('g'), await stage.member('g')];
    const turns: number[] = [];
    for (let round = 0; round < 12; round++) {
      for (const [index, member] of members.entries()) {
        // Whoever is asked to make room does so: its handler has ended by then.
        const { held } = await hold(member, 0, 5, 1);
        if (held > 0 && turns.at(-1) !== index) turns.push(index);
      }
      await stage.subject.advance(3);
    }
    for (const member of [0, 1, 2]) expect(turns.filter((turn) => turn === member).length).toBeGreaterThanOrEqual(3);
  });

  promise('slots of a member that is silent for a lease are free again, those of one that leaves at once', async () => {
    const stage = await scene();
    const [one, two, three] = [
      await stage.member('g', { leaseMs: 300 }),
      await stage.member('g', { leaseMs: 300 }),
      await stage.member('g', { leaseMs: 300 }),
    ];
    await hold(one, 4, 4);
    expect(await hold(two, 0, 4)).toMatchObject({ held: 0 });
    await stage.subject.advance(320);
    expect(await hold(two, 0, 4)).toEqual({ held: 4, share: 4 });
    await two.ports.control.leave(two.subscription);
    expect(await hold(three, 0, 4)).toEqual({ held: 4, share: 4 });
  });

  promise('a stored concurrency wins over the code; handlers that run are never taken away', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    await hold(member, 4, 4);
    await stage.ports.admin.setLimits(stage.topic, 'g', { groupConcurrency: 1 });
    expect(await hold(member, 4, 9)).toEqual({ held: 4, share: 1 });
    expect(await hold(member, 0, 9)).toEqual({ held: 1, share: 1 });
    await stage.ports.admin.setLimits(stage.topic, 'g', { groupConcurrency: 'unlimited' });
    expect(await hold(member, 0, 9)).toEqual({ held: 9, share: 9 });
  });
}
