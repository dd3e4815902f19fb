import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import { bodies, FAILED_TWICE } from './outgoing.js';

const ALL = { offset: 0, limit: 100 };

export function deadLetterCases({ promise, scene }: ContractKit): void {
  promise('a dead letter keeps the message unchanged, with reason, text, time and failure story', async () => {
    const stage = await scene();
    await stage.send({ body: 'a', tag: 't', orderingKey: 'k' });
    const member = await stage.member('g');
    const delivery = await member.drainOne();
    const settlement = {
      type: 'dead-letter',
      reason: 'attempts-exhausted',
      text: 'no stock',
      state: FAILED_TWICE,
    } as const;
    await member.settle([delivery], settlement);
    const [letter, ...others] = await stage.ports.admin.deadLetters(stage.topic, 'g', ALL);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      messageId: delivery.message.messageId,
      topic: stage.topic,
      group: 'g',
      reason: 'attempts-exhausted',
      text: 'no stock',
      state: FAILED_TWICE,
    });
    expect(Math.abs(letter!.deadAt.getTime() - stage.subject.now())).toBeLessThan(1000);
    expect({ ...letter!.message, meta: letter!.message.meta.toString() }).toEqual({
      ...delivery.message,
      meta: delivery.message.meta.toString(),
    });
  });

  promise('a dead letter is not delivered again and counts as dead', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    await stage.bury(member);
    await stage.promote();
    expect(await member.drain()).toEqual([]);
    expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 0, retrying: 0, dead: 1, done: 0 });
  });

  promise('a dead letter of one group is none of another', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('one'), await stage.member('two')];
    await stage.send('a');
    await stage.bury(one);
    expect(await stage.ports.admin.deadLetters(stage.topic, 'two', ALL)).toEqual([]);
    expect(bodies(await two.drain())).toEqual(['a']);
  });

  promise('dead letters are listed newest first, page by page', async () => {
    const stage = await scene({ queues: 2, shards: 2 });
    const member = await stage.member('g');
    for (const [number, body] of ['1', '2', '3', '4', '5'].entries()) {
      await stage.send({ body, orderingKey: stage.keyOf(number % 2) });
      await stage.bury(member);
    }
    const page = async (offset: number, limit: number): Promise<string[]> =>
      (await stage.ports.admin.deadLetters(stage.topic, 'g', { offset, limit })).map(({ message }) =>
        message.body.toString(),
      );
    expect(await page(0, 2)).toEqual(['5', '4']);
    expect(await page(2, 2)).toEqual(['3', '2']);
    expect(await page(4, 2)).toEqual(['1']);
    expect(await page(6, 2)).toEqual([]);
  });

  promise('bytes that could not be decoded are kept as they came', async () => {
    const stage = await scene();
    const [meta, body] = [Buffer.from([0xff, 0x00, 0x7b]), Buffer.from([0xc3, 0x28])];
    await stage.send({ meta, body });
    await stage.bury(await stage.member('g'), 'undecodable');
    const [letter] = await stage.ports.admin.deadLetters(stage.topic, 'g', ALL);
    expect(letter!.reason).toBe('undecodable');
    expect(Buffer.from(letter!.message.meta).equals(meta)).toBe(true);
    expect(letter!.message.body.equals(body)).toBe(true);
  });

  promise('two members that bury one delivery make one dead letter', async () => {
    const stage = await scene();
    const [one, two] = [await stage.member('g', { leaseMs: 300 }), await stage.member('g')];
    await stage.send('a');
    const late = await one.drainOne();
    await one.expireLeases();
    const [reclaimed] = await two.reclaim();
    const settlement = { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE } as const;
    const results = [...(await two.settle([reclaimed!], settlement)), ...(await one.settle([late], settlement))];
    expect(results).toEqual(['settled', 'lease-lost']);
    expect(await stage.ports.admin.deadLetters(stage.topic, 'g', ALL)).toHaveLength(1);
  });

  promise('purging removes the named dead letters for good and says how many', async () => {
    const stage = await scene({ queues: 2, shards: 2 });
    await stage.send('a', 'b', 'c');
    const member = await stage.member('g');
    const [first, second, kept] = (await stage.bury(member)).map(({ message }) => message.messageId);
    const purge = (...ids: string[]) => stage.ports.admin.purgeDeadLetters(stage.topic, 'g', ids);
    expect(await purge(first!, second!, 'unknown')).toBe(2);
    expect(await purge(first!)).toBe(0);
    const left = await stage.ports.admin.deadLetters(stage.topic, 'g', ALL);
    expect(left.map(({ messageId }) => messageId)).toEqual([kept]);
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { messageIds: [first!] })).toEqual([]);
  });

  promise('a group without dead letters lists none', async () => {
    const stage = await scene();
    await stage.member('g');
    expect(await stage.ports.admin.deadLetters(stage.topic, 'g', ALL)).toEqual([]);
  });

  promise(
    'dead letters that are older than their retention go with a trim, younger ones stay',
    async () => {
      const stage = await scene({ deadLetterRetention: 200 });
      const member = await stage.member('g');
      await stage.send('old');
      await stage.bury(member);
      await stage.subject.advance(220);
      await stage.send('young');
      await stage.bury(member);
      await stage.ports.broker.trim(stage.topic);
      const left = await stage.ports.admin.deadLetters(stage.topic, 'g', ALL);
      expect(left.map(({ message }) => message.body.toString())).toEqual(['young']);
    },
    'deadLetterRetention',
  );
}
