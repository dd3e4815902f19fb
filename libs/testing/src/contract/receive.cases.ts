import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import { bodies } from './outgoing.js';

export function receiveCases({ promise, scene }: ContractKit): void {
  promise('every group gets every message once', async () => {
    const stage = await scene({ queues: 4 });
    await stage.send('a', 'b', 'c');
    for (const group of ['one', 'two']) {
      const member = await stage.member(group);
      expect(bodies(await member.drain()).toSorted()).toEqual(['a', 'b', 'c']);
      expect(await member.drain()).toEqual([]);
    }
  });

  promise('members of a group share the messages: each goes to one of them', async () => {
    const stage = await scene({ queues: 4, shards: 2 });
    const members = [await stage.member('g'), await stage.member('g', { ports: await stage.process() })];
    const sent = Array.from({ length: 60 }, (_, number) => `${number}`);
    await stage.send(...sent);
    const received = await Promise.all(members.map((member) => member.drain({ max: 5 })));
    expect(bodies(received.flat()).toSorted()).toEqual(sent.toSorted());
  });

  promise('a leased message is not handed to another member', async () => {
    const stage = await scene();
    await stage.send('a');
    const [holder, other] = [await stage.member('g'), await stage.member('g')];
    expect(await holder.drain()).toHaveLength(1);
    expect(await other.drain()).toEqual([]);
    expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 1 });
  });

  promise('a delivery names the consumer that holds its lease', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    expect((await member.drainOne()).consumer).toBe(member.name);
  });

  promise('receive takes about as many as are wanted and leaves the others ready', async () => {
    const stage = await scene();
    await stage.send(...Array.from({ length: 100 }, (_, number) => `${number}`));
    const member = await stage.member('g');
    const some = await member.receive({ max: 10 });
    expect(some.length).toBeGreaterThan(0);
    expect(some.length).toBeLessThanOrEqual(20);
    expect(await stage.group('g')).toMatchObject({ ready: 100 - some.length, leased: some.length });
    expect(await (await stage.member('g')).drain()).toHaveLength(100 - some.length);
  });

  promise('receive returns messages of the asked shard only', async () => {
    const stage = await scene({ queues: 2, shards: 2 });
    await stage.send({ orderingKey: stage.keyOf(0), body: 'zero' }, { orderingKey: stage.keyOf(1), body: 'one' });
    const member = await stage.member('g');
    expect(bodies(await member.receive({}, 1))).toEqual(['one']);
    expect(bodies(await member.receive({}, 0))).toEqual(['zero']);
  });

  promise('no queue of a shard is starved by a full neighbour', async () => {
    const stage = await scene({ queues: 4 });
    const member = await stage.member('g');
    const busy = stage.keyOf(0);
    await stage.send(...Array.from({ length: 200 }, () => ({ orderingKey: busy, body: 'busy' })));
    await stage.send(...[1, 2, 3].map((queue) => ({ orderingKey: stage.keyOf(queue), body: 'rare' })));
    const received: string[] = [];
    for (let read = 0; read < 20; read++) received.push(...bodies(await member.receive({ max: 4 })));
    expect(received.filter((body) => body === 'rare')).toHaveLength(3);
  });

  promise('what a group skips by tag is still its own progress: every tag is delivered', async () => {
    const stage = await scene();
    await stage.send({ tag: 'a' }, { tag: 'b' }, {});
    const tags = (await (await stage.member('g')).drain()).map(({ message }) => message.tag);
    expect(tags).toEqual(['a', 'b', '']);
  });

  promise('stored fields that are no envelope are delivered as they are, not dropped', async () => {
    const stage = await scene();
    const meta = Buffer.from([0xff, 0x00, 0x7b, 0x0a]);
    await stage.send({ meta, body: Buffer.from([0xc3, 0x28]) }, 'next');
    const [broken, next] = await (await stage.member('g')).drain();
    expect(Buffer.from(broken!.message.meta).equals(meta)).toBe(true);
    expect(broken!.message.body.equals(Buffer.from([0xc3, 0x28]))).toBe(true);
    expect(bodies([next!])).toEqual(['next']);
  });

  promise('what a reader does to the bytes it got does not reach other groups', async () => {
    const stage = await scene();
    await stage.send('original');
    (await (await stage.member('one')).drainOne()).message.body.fill(0);
    expect(bodies(await (await stage.member('two')).drain())).toEqual(['original']);
  });
}
