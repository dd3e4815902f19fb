import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import { stolen } from './member.js';
import { bodies } from './outgoing.js';
import { SETTLEMENTS } from './settlements.js';

export function settleCases({ promise, scene }: ContractKit): void {
  for (const { verb, settlement } of SETTLEMENTS) {
    promise(`a stranger cannot ${verb} a delivery: lease-lost, and nothing is written`, async () => {
      const stage = await scene();
      await stage.send('a');
      const member = await stage.member('g');
      const delivery = await member.drainOne();
      const before = await stage.ports.admin.stats(stage.topic);
      expect(await member.settle([stolen(delivery)], settlement)).toEqual(['lease-lost']);
      expect(await stage.ports.admin.stats(stage.topic)).toEqual(before);
      expect(await member.ack(delivery)).toEqual(['settled']);
    });

    promise(`after ${verb} a second settle says lease-lost, and nothing is written`, async () => {
      const stage = await scene();
      await stage.send('a');
      const member = await stage.member('g');
      const delivery = await member.drainOne();
      expect(await member.settle([delivery], settlement)).toEqual(['settled']);
      const before = await stage.ports.admin.stats(stage.topic);
      for (const second of SETTLEMENTS) {
        expect(await member.settle([delivery], second.settlement)).toEqual(['lease-lost']);
      }
      expect(await stage.ports.admin.stats(stage.topic)).toEqual(before);
    });
  }

  promise('a stranger cannot renew a delivery', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    const delivery = await member.drainOne();
    expect(await member.ports.broker.renew([stolen(delivery)])).toEqual([]);
  });

  promise('a settled delivery cannot be renewed', async () => {
    const stage = await scene();
    await stage.send('a', 'b');
    const member = await stage.member('g');
    const [settled, held] = await member.drain();
    await member.ack(settled!);
    expect(bodies(await member.ports.broker.renew([settled!, held!]))).toEqual(['b']);
  });

  promise('renewing moves the end of the lease', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    const delivery = await member.drainOne();
    const before = delivery.leaseUntil;
    await stage.subject.advance(20);
    const [renewed] = await member.ports.broker.renew([delivery]);
    expect(renewed!.leaseUntil).toBeGreaterThan(before);
    expect(delivery.leaseUntil).toBe(renewed!.leaseUntil);
  });

  promise('an acked message is gone for its group and untouched for the others', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('one'), await stage.member('two')];
    await stage.send('a');
    expect(await one.ack(await one.drainOne())).toEqual(['settled']);
    expect(await one.drain()).toEqual([]);
    expect(await stage.group('one')).toMatchObject({ ready: 0, leased: 0, done: 1 });
    expect(await stage.group('two')).toMatchObject({ ready: 1, leased: 0, done: 0 });
    expect(bodies(await two.drain())).toEqual(['a']);
  });

  promise('a batch of settlements has one result each, in its order', async () => {
    const stage = await scene({ queues: 2, shards: 2 });
    await stage.send(
      ...Array.from({ length: 8 }, (_, number) => ({ orderingKey: stage.keyOf(number % 2), body: `${number}` })),
    );
    const member = await stage.member('g');
    const deliveries = await member.drain();
    const items = deliveries.map((delivery, index) => ({
      delivery: index % 2 === 0 ? delivery : stolen(delivery),
      settlement: SETTLEMENTS[index % SETTLEMENTS.length]!.settlement,
    }));
    const results = await member.ports.broker.settle(items);
    expect(results).toEqual(deliveries.map((_, index) => (index % 2 === 0 ? 'settled' : 'lease-lost')));
  });

  promise('a batch may settle deliveries of several groups', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('one'), await stage.member('two')];
    await stage.send('a');
    const deliveries = [await one.drainOne(), await two.drainOne()];
    expect(await one.ack(...deliveries)).toEqual(['settled', 'settled']);
    expect(await stage.group('two')).toMatchObject({ leased: 0, done: 1 });
  });

  promise(
    'deliveries that lie far apart are acknowledged in one batch, and nothing that lies between them',
    async () => {
      const stage = await scene();
      await stage.send(...Array.from({ length: 40 }, (_, number) => `${number}`));
      const member = await stage.member('g');
      const deliveries = await member.drain();
      const [first, between, last] = [deliveries[0]!, deliveries[25]!, deliveries.at(-1)!];
      expect(await member.ack(last, first, between)).toEqual(['settled', 'settled', 'settled']);
      expect(await stage.group('g')).toMatchObject({ leased: 37, done: 3 });
      const rest = deliveries.filter((delivery) => ![first, between, last].includes(delivery));
      expect(await member.ack(...rest)).toEqual(rest.map(() => 'settled'));
      expect(await stage.group('g')).toMatchObject({ leased: 0, done: 40 });
    },
  );

  promise('of a batch of acknowledgements those that are not ours any more are named, in its order', async () => {
    const stage = await scene();
    await stage.send(...Array.from({ length: 12 }, (_, number) => `${number}`));
    const member = await stage.member('g');
    const deliveries = (await member.drain()).toReversed();
    const gone = deliveries.filter((_, index) => index % 3 === 0);
    await member.ack(...gone);
    expect(await member.ack(...deliveries)).toEqual(
      deliveries.map((_, index) => (index % 3 === 0 ? 'lease-lost' : 'settled')),
    );
    expect(await stage.group('g')).toMatchObject({ leased: 0, done: 12 });
  });

  promise('the same delivery twice in one batch is settled once', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    const delivery = await member.drainOne();
    expect(await member.ack(delivery, delivery)).toEqual(['settled', 'lease-lost']);
    expect(await stage.group('g')).toMatchObject({ done: 1 });
  });

  promise('an empty batch has no results', async () => {
    expect(await (await scene()).ports.broker.settle([])).toEqual([]);
  });

  promise('a skipped message counts as skipped, not as done', async () => {
    const stage = await scene();
    await stage.send('a', 'b');
    const member = await stage.member('g');
    const [first, second] = await member.drain();
    await member.settle([first!], { type: 'ack', skipped: true });
    await member.ack(second!);
    expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 0, done: 1, skipped: 1 });
  });

  promise(
    'a message that is dropped because it expired counts as expired, not as done, also after a take-over',
    async () => {
      const stage = await scene();
      await stage.send('a', 'b');
      const member = await stage.member('g', { leaseMs: 300 });
      const [first] = await member.drain();
      await member.settle([first!], { type: 'ack', expired: true });
      await member.expireLeases();
      const [second] = await member.reclaim();
      await member.settle([second!], { type: 'ack', expired: true });
      expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 0, done: 0, skipped: 0, expired: 2 });
    },
  );

  promise('the broker tells its clock', async () => {
    const stage = await scene();
    await stage.member('g');
    expect(Math.abs(stage.ports.broker.now() - stage.subject.now())).toBeLessThan(1000);
  });

  promise('an owner whose lease ran out but was not taken over can still settle', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g', { leaseMs: 300 });
    const delivery = await member.drainOne();
    await member.expireLeases();
    expect(await member.ack(delivery)).toEqual(['settled']);
    expect(await member.reclaim()).toEqual([]);
  });
}
