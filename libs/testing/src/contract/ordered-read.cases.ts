import { expect } from '@jest/globals';
import { FIRST_DELIVERY, type Delivery } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Member } from './member.js';
import { bodies, FAILED_TWICE } from './outgoing.js';
import type { MemberOptions, Scene } from './scene.js';
import { SETTLEMENTS } from './settlements.js';

const ORDERED: MemberOptions = { mode: 'ordered' };

export function orderedReadCases({ promise: register, scene }: ContractKit): void {
  const promise = (name: string, body: () => Promise<void>): void => register(name, body, 'orderedMode');

  /** A topic of one queue, its owner, and a member of another process that waits for its turn. */
  async function pair(...sent: string[]): Promise<{ stage: Scene; one: Member; two: Member }> {
    const stage = await scene();
    await stage.send(...sent);
    const one = await (await stage.member('g', ORDERED)).own(0);
    return { stage, one, two: await stage.member('g', { ...ORDERED, ports: await stage.process() }) };
  }

  promise('the owner gets the messages of its queue in the order they were sent, under its epoch', async () => {
    const { one } = await pair('a', 'b', 'c');
    const deliveries = await one.drain();
    expect(bodies(deliveries)).toEqual(['a', 'b', 'c']);
    expect(deliveries.map(({ epoch }) => epoch)).toEqual([1, 2, 3].map(() => one.leases[0]!.epoch));
    expect(deliveries[0]).toMatchObject({ source: 'queue', queue: 0, state: FIRST_DELIVERY });
  });

  promise('without a queue lease nothing is received', async () => {
    const { two } = await pair('a');
    expect(await two.drain()).toEqual([]);
  });

  promise('only messages of owned queues are received', async () => {
    const stage = await scene({ queues: 2 });
    await stage.send({ orderingKey: stage.keyOf(0), body: 'zero' }, { orderingKey: stage.keyOf(1), body: 'one' });
    const [one, two] = [await stage.member('g', ORDERED), await stage.member('g', ORDERED)];
    expect(bodies(await (await one.own(1)).drain())).toEqual(['one']);
    expect(bodies(await (await two.own(0)).drain())).toEqual(['zero']);
  });

  promise('a backlog of one queue keeps no other queue waiting', async () => {
    const stage = await scene({ queues: 3 });
    const one = await stage.member('g', ORDERED);
    for (const queue of [0, 1, 2]) await one.own(queue);
    await stage.send(
      ...Array.from({ length: 100 }, (_, index) => ({ orderingKey: stage.keyOf(1), body: `b${index}` })),
    );
    await stage.send({ orderingKey: stage.keyOf(0), body: 'zero' }, { orderingKey: stage.keyOf(2), body: 'two' });
    const found: Delivery[] = [];
    for (let read = 0; read < 8; read++) found.push(...(await one.receive({ max: 4 })));
    expect(bodies(found)).toEqual(expect.arrayContaining(['zero', 'two', 'b0', 'b1']));
  });

  promise('a read that asks for one message at a time comes to every queue', async () => {
    const stage = await scene({ queues: 3 });
    const one = await stage.member('g', ORDERED);
    for (const queue of [0, 1, 2]) {
      await one.own(queue);
      const key = stage.keyOf(queue);
      await stage.send(...Array.from({ length: 20 }, (_, index) => ({ orderingKey: key, body: `${queue}-${index}` })));
    }
    const found: Delivery[] = [];
    for (let read = 0; read < 12; read++) found.push(...(await one.receive({ max: 1 })));
    expect(new Set(found.map(({ queue }) => queue))).toEqual(new Set([0, 1, 2]));
  });

  promise('a waiting owner is woken by a new message', async () => {
    const { stage, one } = await pair();
    const waiting = one.receive({ waitMs: 60_000 });
    await stage.subject.advance(20);
    await stage.send('a');
    expect(bodies(await waiting)).toEqual(['a']);
  });

  promise('a lease that was taken over receives nothing any more', async () => {
    const { stage, one, two } = await pair();
    await one.giveUp();
    await two.own(0);
    await stage.send('a');
    expect(await one.drain()).toEqual([]);
    expect(bodies(await two.drain())).toEqual(['a']);
  });

  promise('a new owner first gets what the former one left unsettled, then what is new, all in order', async () => {
    const { stage, one, two } = await pair('a', 'b', 'c', 'd');
    const [, second] = await one.drain();
    await one.ack(second!);
    await one.giveUp();
    await stage.send('e');
    await two.own(0);
    const deliveries = await two.drain();
    expect(bodies(deliveries)).toEqual(['a', 'c', 'd', 'e']);
    expect(await two.ack(...deliveries)).toEqual(deliveries.map(() => 'settled'));
    expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 0, retrying: 0, done: 5 });
  });

  promise('a new owner gets what was left even in small reads, and in order', async () => {
    const { one, two } = await pair('a', 'b', 'c', 'd', 'e');
    expect(await one.receive({ max: 4 })).toHaveLength(4);
    await one.giveUp();
    await two.own(0);
    expect(bodies(await two.drain({ max: 1 }))).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  promise('a handler that had started when the queue lease ran out counts a crash', async () => {
    const stage = await scene();
    await stage.send('a', 'b');
    const one = await (await stage.member('g', { ...ORDERED, leaseMs: 300 })).own(0);
    const [started] = await one.drain();
    await one.ports.broker.markStarted([started!]);
    await one.expireLeases();
    const two = await (await stage.member('g', ORDERED)).own(0);
    expect((await two.drain()).map(({ state }) => state.crashes)).toEqual([1, 0]);
  });

  for (const { verb, settlement } of SETTLEMENTS) {
    promise(`an older epoch cannot ${verb}: lease-lost, and nothing is written`, async () => {
      const { stage, one, two } = await pair('a');
      const late = await one.drainOne();
      await one.giveUp();
      await two.own(0);
      const before = await stage.ports.admin.stats(stage.topic);
      // Before the new owner has read it, and after.
      expect(await one.settle([late], settlement)).toEqual(['lease-lost']);
      const delivery = await two.drainOne();
      expect(await one.settle([late], settlement)).toEqual(['lease-lost']);
      expect(await stage.ports.admin.stats(stage.topic)).toEqual(before);
      expect(await two.ack(delivery)).toEqual(['settled']);
    });
  }

  promise('a member that lost its queue and took it again cannot settle what it had before', async () => {
    const { one, two } = await pair('a');
    const late = await one.drainOne();
    await one.giveUp();
    await (await two.own(0)).giveUp();
    one.leases = [];
    await one.own(0);
    const again = await one.drainOne();
    expect(await one.ack(late)).toEqual(['lease-lost']);
    expect(await one.ack(again)).toEqual(['settled']);
  });

  promise('what came under an older epoch takes nothing with it that came under the new one, in one call', async () => {
    const { one, two } = await pair('a');
    const late = await one.drainOne();
    await one.giveUp();
    await (await two.own(0)).giveUp();
    one.leases = [];
    await one.own(0);
    const again = await one.drainOne();
    expect(await one.ports.broker.renew([late, again])).toEqual([again]);
    expect(await one.ack(late, again)).toEqual(['lease-lost', 'settled']);
  });

  promise('deliveries of a queue that was given up cannot be settled, though nobody has taken it yet', async () => {
    const { one, two } = await pair('a');
    const late = await one.drainOne();
    await one.giveUp();
    expect(await one.ack(late)).toEqual(['lease-lost']);
    expect(bodies(await (await two.own(0)).drain())).toEqual(['a']);
  });

  promise('an older epoch cannot renew or note a start', async () => {
    const { stage, one, two } = await pair('a');
    const late = await one.drainOne();
    await one.giveUp();
    await two.own(0);
    await two.drain();
    expect(await one.ports.broker.renew([late])).toEqual([]);
    await one.ports.broker.markStarted([late]);
    await two.giveUp();
    const three = await (await stage.member('g', ORDERED)).own(0);
    expect((await three.drainOne()).state.crashes).toBe(0);
  });

  promise('a settled delivery of an ordered group cannot be settled again', async () => {
    const { one } = await pair('a', 'b');
    const [first, second] = await one.drain();
    await one.ack(first!);
    await one.settle([second!], { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
    expect(await one.ack(first!, second!)).toEqual(['lease-lost', 'lease-lost']);
  });

  promise('a dead letter of an ordered group returns to the owner of its queue when it is redriven', async () => {
    const { stage, one } = await pair('a', 'b');
    const [first, second] = await one.drain();
    await one.settle([first!], { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
    await one.ack(second!);
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { max: 10 })).toEqual([first!.message.messageId]);
    const again = await stage.eventually('the redriven message is delivered', async () => (await one.drain())[0]);
    expect(again).toMatchObject({ source: 'retry', state: { attempt: 1, generation: 1 } });
    expect(await one.ack(again)).toEqual(['settled']);
    expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 0, dead: 0, done: 2 });
  });
}
