import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import type { Member } from './member.js';
import { bodies, FAILED_TWICE } from './outgoing.js';
import type { Scene } from './scene.js';
import { SETTLEMENTS } from './settlements.js';

const LEASE = { leaseMs: 300 };

export function reclaimCases({ promise, scene }: ContractKit): void {
  /** One member that has leased what was sent, and another in another process. */
  async function pair(...sent: string[]): Promise<{ stage: Scene; one: Member; two: Member }> {
    const stage = await scene();
    await stage.send(...sent);
    const one = await stage.member('g', LEASE);
    return { stage, one, two: await stage.member('g', { ...LEASE, ports: await stage.process() }) };
  }

  promise('a lease that has not expired is not taken over', async () => {
    const stage = await scene();
    await stage.send('a');
    expect(await (await stage.member('g')).drain()).toHaveLength(1);
    expect(await (await stage.member('g')).reclaim()).toEqual([]);
  });

  promise('an expired lease is taken over: same message, same attempt, new owner', async () => {
    const { stage, one, two } = await pair('a');
    const delivery = await one.drainOne();
    await one.expireLeases();
    const [reclaimed, ...others] = await two.reclaim();
    expect(others).toEqual([]);
    expect(reclaimed).toMatchObject({ consumer: two.name, source: 'queue', state: { attempt: 1, crashes: 0 } });
    expect(reclaimed!.message.messageId).toBe(delivery.message.messageId);
    expect(await two.ack(reclaimed!)).toEqual(['settled']);
    expect(await stage.group('g')).toMatchObject({ leased: 0, done: 1 });
  });

  for (const { verb, settlement } of SETTLEMENTS) {
    promise(`after a take-over the former owner cannot ${verb}: lease-lost, and nothing is written`, async () => {
      const { stage, one, two } = await pair('a');
      const late = await one.drainOne();
      await one.expireLeases();
      const [reclaimed] = await two.reclaim();
      const before = await stage.ports.admin.stats(stage.topic);
      expect(await one.settle([late], settlement)).toEqual(['lease-lost']);
      expect(await stage.ports.admin.stats(stage.topic)).toEqual(before);
      expect(await two.ack(reclaimed!)).toEqual(['settled']);
    });
  }

  promise('after a take-over the former owner cannot renew', async () => {
    const { one, two } = await pair('a');
    const late = await one.drainOne();
    await one.expireLeases();
    await two.reclaim();
    expect(await one.ports.broker.renew([late])).toEqual([]);
  });

  promise('a lease that is renewed in time is not taken over', async () => {
    const { stage, one, two } = await pair('a');
    const delivery = await one.drainOne();
    for (let round = 0; round < 4; round++) {
      await stage.subject.advance(120);
      expect(await one.ports.broker.renew([delivery])).toHaveLength(1);
    }
    expect(await two.reclaim(1)).toEqual([]);
    expect(await one.ack(delivery)).toEqual(['settled']);
  });

  promise('a crash is counted when the handler had started, each time', async () => {
    const { one, two } = await pair('a');
    await one.ports.broker.markStarted(await one.drain());
    await one.expireLeases();
    const [once] = await two.reclaim();
    expect(once!.state).toMatchObject({ attempt: 1, crashes: 1 });
    await two.ports.broker.markStarted([once!]);
    await two.expireLeases();
    const [twice] = await one.reclaim();
    expect(twice!.state).toMatchObject({ attempt: 1, crashes: 2 });
  });

  promise('no crash is counted when the handler had not started', async () => {
    const { one, two } = await pair('a', 'b');
    const [first] = await one.drain();
    await one.ports.broker.markStarted([first!]);
    await one.expireLeases();
    const reclaimed = await two.reclaim();
    expect(reclaimed.map(({ state }) => state.crashes).toSorted((a, b) => a - b)).toEqual([0, 1]);
    await two.expireLeases();
    const again = await one.reclaim();
    expect(again.map(({ state }) => state.crashes).toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  promise('a note of a stranger that it starts counts nothing', async () => {
    const { one, two } = await pair('a');
    const delivery = await one.drainOne();
    await two.ports.broker.markStarted([{ ...delivery, consumer: two.name }]);
    await one.expireLeases();
    const [reclaimed] = await two.reclaim();
    expect(reclaimed!.state.crashes).toBe(0);
  });

  promise('a handler that failed and was retried is no crash later', async () => {
    const { stage, one, two } = await pair('a');
    const deliveries = await one.drain();
    await one.ports.broker.markStarted(deliveries);
    await one.settle(deliveries, { type: 'retry', delayMs: 0, state: { ...FAILED_TWICE, crashes: 0 } });
    await stage.promote();
    expect(await one.drain()).toHaveLength(1);
    await one.expireLeases();
    const [reclaimed] = await two.reclaim();
    expect(reclaimed!.state).toMatchObject({ attempt: 3, crashes: 0 });
  });

  promise('a retried message is reclaimed with its state and a crash more', async () => {
    const { stage, one, two } = await pair('a');
    await one.settle(await one.drain(), { type: 'retry', delayMs: 0, state: FAILED_TWICE });
    await stage.promote();
    await one.ports.broker.markStarted(await one.drain());
    await one.expireLeases();
    const [reclaimed] = await two.reclaim();
    expect(reclaimed).toMatchObject({ source: 'retry', state: { ...FAILED_TWICE, crashes: FAILED_TWICE.crashes + 1 } });
    expect(await two.ack(reclaimed!)).toEqual(['settled']);
  });

  promise('a take-over begins a new lease', async () => {
    const { stage, one, two } = await pair('a');
    await one.drain();
    await one.expireLeases();
    expect(await two.reclaim(1)).toHaveLength(1);
    expect(await (await stage.member('g', LEASE)).reclaim(1)).toEqual([]);
  });

  promise('when several members reclaim at once each delivery is taken once', async () => {
    const sent = Array.from({ length: 40 }, (_, number) => `${number}`);
    const { one, two, stage } = await pair(...sent);
    const third = await stage.member('g', { ...LEASE, ports: await stage.process() });
    await one.drain();
    await one.expireLeases();
    const taken = (await Promise.all([two.reclaim(4, 10), third.reclaim(4, 10)])).flat();
    expect(bodies(taken).toSorted()).toEqual(sent.toSorted());
  });

  promise('a busy head does not hide an expired tail', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('g', LEASE), await stage.member('g', LEASE)];
    await stage.send(...Array.from({ length: 60 }, (_, number) => `${number}`));
    const held = await one.drain();
    const kept = held.slice(0, 50);
    await stage.subject.advance(200);
    await one.ports.broker.renew(kept);
    await stage.subject.advance(200);
    await one.ports.broker.renew(kept);
    const expected = Array.from({ length: 10 }, (_, number) => `${50 + number}`);
    expect(bodies(await two.reclaim(16, 4)).toSorted()).toEqual(expected);
  });

  promise('one look goes past hundreds of live leases', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('g', LEASE), await stage.member('g', LEASE)];
    await stage.send(...Array.from({ length: 603 }, (_, number) => `${number}`));
    const kept = (await one.drain()).slice(0, 600);
    await stage.subject.advance(200);
    await one.ports.broker.renew(kept);
    await stage.subject.advance(200);
    await one.ports.broker.renew(kept);
    expect(bodies(await two.reclaim(1)).toSorted()).toEqual(['600', '601', '602']);
  });

  promise('a reclaimed message concerns its own group only', async () => {
    const { stage, one, two } = await pair('a');
    const other = await stage.member('other', LEASE);
    await one.drain();
    await one.expireLeases();
    expect(await other.reclaim()).toEqual([]);
    expect(await two.reclaim()).toHaveLength(1);
  });
}
