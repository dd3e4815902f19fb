import { expect } from '@jest/globals';
import type { BookedStarts, CheckedRate } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Member } from './member.js';

const FAST: CheckedRate = { max: 100, perMs: 1000 };

function book(member: Member, wanted: number, code = FAST): Promise<BookedStarts> {
  return member.ports.control.bookStarts(member.subscription, code, wanted);
}

export function rateCases({ promise, scene }: ContractKit): void {
  promise('starts are booked evenly spread, a tenth of the limit at once after a lull', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    const booked = await book(member, 15);
    expect(booked).toMatchObject({ count: 15, firstInMs: 0, everyMs: 10 });
    // Ten at once (the last 90 ms and now), then one each 10 ms: the sixteenth is due in about 60 ms.
    const next = await book(member, 1);
    expect(next.count).toBe(1);
    expect(next.firstInMs).toBeLessThanOrEqual(60);
    expect(next.firstInMs).toBeGreaterThan(0);
  });

  promise('starts are booked a little ahead only, over all processes; then there is a time to ask again', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('g'), await stage.member('g', { ports: await stage.process() })];
    const first = await book(one, 1000);
    const second = await book(two, 1000);
    // 200 ms ahead are 20 starts, besides those at once; a slow call may add some.
    expect(first.count).toBeGreaterThanOrEqual(29);
    expect(first.count + second.count).toBeLessThanOrEqual(31 + 100);
    expect(second.count).toBeLessThan(100);
    expect(second.againInMs).toBeGreaterThanOrEqual(90);
    expect(second.againInMs).toBeLessThanOrEqual(200);
  });

  promise('a slow limit lets one start at a time, each in its turn', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    const slow = { max: 1, perMs: 60_000 };
    expect(await book(member, 5, slow)).toMatchObject({ count: 2, firstInMs: 0, everyMs: 60_000 });
    const none = await book(member, 5, slow);
    expect(none.count).toBe(0);
    expect(none.againInMs).toBeGreaterThan(50_000);
  });

  promise('a stored rate wins over the code, also while a slower one has booked far ahead', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    await book(member, 5, { max: 1, perMs: 60_000 });
    await stage.ports.admin.setLimits(stage.topic, 'g', { rateLimit: { max: 10, per: '1s' } });
    expect(await book(member, 1, { max: 1, perMs: 60_000 })).toMatchObject({ everyMs: 100 });
    await stage.subject.advance(320);
    expect((await book(member, 1)).count).toBe(1);
    await stage.ports.admin.setLimits(stage.topic, 'g', { rateLimit: 'unlimited' });
    expect(await book(member, 500)).toMatchObject({ count: 500, firstInMs: 0, everyMs: 0 });
    await stage.ports.admin.setLimits(stage.topic, 'g', {});
    expect(await book(member, 1)).toMatchObject({ everyMs: 10 });
  });

  promise('groups have rates of their own', async () => {
    const stage = await scene();
    const slow = { max: 1, perMs: 60_000 };
    await book(await stage.member('one'), 2, slow);
    expect(await book(await stage.member('two'), 1, slow)).toMatchObject({ count: 1, firstInMs: 0 });
  });
}
