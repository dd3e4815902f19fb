import { describe, expect, it } from '@jest/globals';
import { topicSpec } from '@millrace/core';
import { outgoing } from '../contract/outgoing.js';
import { ManualClock } from '../manual-clock.js';
import { connectInMemory } from './connect-in-memory.js';
import { InMemoryStore } from './in-memory-store.js';

const SPEC = { topic: 't', group: 'g', mode: 'concurrent', consumer: 'c', leaseMs: 1000, startFrom: 'first' } as const;

describe('connectInMemory', () => {
  it('opens a store of its own when none is given', async () => {
    const [one, two] = [connectInMemory(), connectInMemory()];
    await one.broker.declareTopic(topicSpec({ topic: 't' }));
    expect(await one.admin.topic('t')).toBeDefined();
    expect(await two.admin.topic('t')).toBeUndefined();
  });

  it('shares a given store: closing one connection leaves the others and the data', async () => {
    const store = new InMemoryStore();
    const [one, two] = [connectInMemory({ store }), connectInMemory({ store })];
    await one.broker.declareTopic(topicSpec({ topic: 't' }));
    await one.broker.send([outgoing('t', { body: 'a' })]);
    await one.broker.close();
    expect(await two.admin.stats('t')).toMatchObject({ accepted: 1 });
  });

  it('goes by the clock of the store for due times, and by its own for when a lease is surely over', async () => {
    const [serverClock, ownClock] = [new ManualClock(0), new ManualClock(7_000_000)];
    await ownClock.advance(300);
    const { broker } = connectInMemory({ store: new InMemoryStore({ clock: serverClock }), clock: ownClock });
    await broker.declareTopic(topicSpec({ topic: 't' }));
    const [result] = await broker.send([outgoing('t', { due: { delayMs: 50 } })]);
    expect(result).toMatchObject({ ok: true, receipt: { dueAt: new Date(50) } });
    await serverClock.advance(50);
    expect(await broker.promote('t', 0, { max: 10 })).toMatchObject({ promoted: 1 });
    const [delivery] = await broker.receive(await broker.subscribe(SPEC), 0, { max: 1, waitMs: 0 });
    expect(delivery!.leaseUntil).toBe(1300);
  });

  it('waits in real time without a manual clock', async () => {
    const { broker } = connectInMemory();
    await broker.declareTopic(topicSpec({ topic: 't' }));
    const subscription = await broker.subscribe(SPEC);
    const before = performance.now();
    expect(await broker.receive(subscription, 0, { max: 1, waitMs: 20 })).toEqual([]);
    expect(performance.now() - before).toBeGreaterThanOrEqual(19);
  });

  it('refuses every call after close with MQ_CLOSED', async () => {
    const { broker, leases } = connectInMemory();
    await broker.declareTopic(topicSpec({ topic: 't' }));
    const subscription = await broker.subscribe(SPEC);
    await broker.close();
    const calls = [
      broker.declareTopic(topicSpec({ topic: 't' })),
      broker.subscribe(SPEC),
      broker.send([]),
      broker.cancel('t', { messageId: 'x' }),
      broker.reschedule('t', { messageId: 'x' }, { delayMs: 1 }),
      broker.receive(subscription, 0, { max: 1, waitMs: 0 }),
      broker.markStarted([]),
      broker.settle([]),
      broker.renew([]),
      broker.reclaim(subscription, 0, { max: 1 }),
      broker.promote('t', 0, { max: 1 }),
      broker.trim('t'),
      leases.join(subscription, 'm'),
      leases.acquire(subscription, 0, 0, 'm'),
      leases.leave(subscription, 'm'),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'MQ_CLOSED' });
  });

  it('says of a topic that nobody has declared that it does not exist', async () => {
    const { broker, admin } = connectInMemory();
    const error = { code: 'MQ_TOPIC_NOT_FOUND' };
    expect(await broker.send([outgoing('none', {})])).toMatchObject([{ ok: false, error }]);
    await expect(broker.subscribe({ ...SPEC, topic: 'none' })).rejects.toMatchObject(error);
    await expect(admin.stats('none')).rejects.toMatchObject(error);
  });
});
