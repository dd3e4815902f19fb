import { beforeEach, describe, expect, it } from '@jest/globals';
import { topicSpec } from '@millrace/core';
import { outgoing } from '../contract/outgoing.js';
import { connectInMemory } from '../in-memory/connect-in-memory.js';
import { ManualClock } from '../manual-clock.js';
import { faultyBroker, type FaultyPorts } from './faulty-broker.js';

describe('faultyBroker', () => {
  let clock: ManualClock;
  let ports: FaultyPorts;
  const send = () => ports.broker.send([outgoing('t', { body: 'a' })]);
  const accepted = async () => (await ports.admin.stats('t')).accepted;

  beforeEach(async () => {
    clock = new ManualClock();
    ports = faultyBroker(connectInMemory({ clock }), { clock });
    await ports.broker.declareTopic(topicSpec({ topic: 't' }));
  });

  it('passes calls through while no fault is asked for', async () => {
    expect(await send()).toMatchObject([{ ok: true }]);
    expect(await accepted()).toBe(1);
  });

  it('fails the next call without executing it, and the one after it works', async () => {
    const error = new Error('down');
    const fault = ports.faults.failNext('send', error);
    await expect(send()).rejects.toBe(error);
    await fault.struck;
    expect(await accepted()).toBe(0);
    await send();
    expect(await accepted()).toBe(1);
  });

  it('loses the reply of a call that was executed', async () => {
    ports.faults.loseReply('send');
    await expect(send()).rejects.toThrow('reply to send lost on purpose');
    expect(await accepted()).toBe(1);
  });

  it('delays a call by the clock', async () => {
    const fault = ports.faults.delayNext('send', 500);
    const sending = send();
    await clock.advance(499);
    expect(await accepted()).toBe(0);
    await clock.advance(1);
    await sending;
    await fault.struck;
    expect(await accepted()).toBe(1);
  });

  it('keeps faults of one method in line, each for as many calls as it was asked for', async () => {
    ports.faults.failNext('send', new Error('first'), { times: 2 });
    const last = ports.faults.failNext('send', new Error('second'));
    await expect(send()).rejects.toThrow('first');
    await expect(send()).rejects.toThrow('first');
    await expect(send()).rejects.toThrow('second');
    await last.struck;
    expect(await send()).toMatchObject([{ ok: true }]);
  });

  it('tells the methods of the three ports apart', async () => {
    ports.faults.failNext('admin.topic');
    ports.faults.failNext('leases.join');
    const spec = { topic: 't', group: 'g', mode: 'ordered', consumer: 'c', leaseMs: 1000, startFrom: 'first' } as const;
    const subscription = await ports.broker.subscribe(spec);
    await expect(ports.leases.join(subscription, 'm')).rejects.toThrow('leases.join failed on purpose');
    expect(await ports.leases.join(subscription, 'm')).toEqual(['m']);
    await expect(ports.admin.topic('t')).rejects.toThrow('admin.topic failed on purpose');
  });

  it('hands the listener on at once', async () => {
    const told: unknown[] = [];
    ports.broker.listen({ onScheduled: (...scheduled) => told.push(scheduled) });
    await ports.broker.send([outgoing('t', { due: { delayMs: 70 } })]);
    expect(told).toEqual([['t', 0, 70]]);
  });

  it('takes faults back', async () => {
    ports.faults.failNext('send');
    ports.faults.clear();
    expect(await send()).toMatchObject([{ ok: true }]);
  });
});
