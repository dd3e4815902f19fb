import { expect } from '@jest/globals';
import type { BrokerPorts, UntoldDeadLetter } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Scene } from './scene.js';

const LEASE_MS = 30_000;

export function deadLetterFeedCases({ promise, scene }: ContractKit): void {
  promise('who asks is told of what dies from then on, once', async () => {
    const stage = await scene({ queues: 2, shards: 2 });
    await dies(stage, 'before');
    expect(await take(stage)).toEqual([]);
    const [first, second] = [await dies(stage, 'a'), await dies(stage, 'b')];
    const taken = await take(stage);
    expect(taken.map(({ letter }) => letter.name).toSorted()).toEqual([first, second].toSorted());
    expect(taken.find(({ letter }) => letter.name === first)!.letter).toMatchObject({
      topic: stage.topic,
      group: 'g',
      reason: 'rejected',
    });
    for (const one of taken) expect(await stage.ports.deadLetters.settle(one, { type: 'told' })).toBe('settled');
    expect(await take(stage)).toEqual([]);
  });

  promise('a listener may be there before the group is', async () => {
    const stage = await scene();
    await take(stage);
    const name = await dies(stage, 'a');
    expect((await take(stage)).map(({ letter }) => letter.name)).toEqual([name]);
  });

  promise(
    'what one process has taken no other one gets while the lease runs, and somebody does afterwards',
    async () => {
      const stage = await scene();
      const other = await stage.process();
      await take(stage);
      await dies(stage, 'a');
      const [late] = await take(stage, { leaseMs: 200 });
      expect(await take(stage, {}, other)).toEqual([]);
      await stage.subject.advance(220);
      const [again] = await take(stage, {}, other);
      expect(again!.letter.name).toBe(late!.letter.name);
      expect(await stage.ports.deadLetters.settle(late!, { type: 'told' })).toBe('lease-lost');
      expect(await other.deadLetters.settle(again!, { type: 'told' })).toBe('settled');
    },
  );

  promise('a renewed lease goes on', async () => {
    const stage = await scene();
    await take(stage);
    await dies(stage, 'a');
    const [held] = await take(stage, { leaseMs: 200 });
    expect(await stage.ports.deadLetters.renew(held!, LEASE_MS)).toBe(true);
    await stage.subject.advance(220);
    expect(await take(stage)).toEqual([]);
    expect(await stage.ports.deadLetters.settle(held!, { type: 'told' })).toBe('settled');
    expect(await stage.ports.deadLetters.renew(held!, LEASE_MS)).toBe(false);
  });

  promise('what is put off comes again after its delay', async () => {
    const stage = await scene();
    await take(stage);
    const name = await dies(stage, 'a');
    const [held] = await take(stage);
    await stage.ports.deadLetters.settle(held!, { type: 'again', delayMs: 150 });
    expect(await take(stage)).toEqual([]);
    await stage.subject.advance(170);
    expect((await take(stage)).map(({ letter }) => letter.name)).toEqual([name]);
  });

  promise('no more are taken than asked for', async () => {
    const stage = await scene({ queues: 2, shards: 2 });
    await take(stage);
    for (const body of ['a', 'b', 'c', 'd']) await dies(stage, body);
    expect(await take(stage, { max: 3 })).toHaveLength(3);
    expect(await take(stage, { max: 3 })).toHaveLength(1);
  });

  promise('nobody is told of what was redriven or purged first; what dies again is told again', async () => {
    const stage = await scene();
    await take(stage);
    const [redriven, purged] = [await dies(stage, 'a'), await dies(stage, 'b')];
    const [held] = await take(stage, { max: 1 });
    await stage.ports.admin.purgeDeadLetters(stage.topic, 'g', [purged]);
    await stage.ports.admin.redrive(stage.topic, 'g', { messageIds: [redriven] });
    expect(await take(stage)).toEqual([]);
    await stage.bury(await stage.member('g'));
    expect((await take(stage)).map(({ letter }) => [letter.name, letter.state.generation])).toEqual([[redriven, 1]]);
    expect(await stage.ports.deadLetters.settle(held!, { type: 'told' })).toBe('lease-lost');
  });

  promise('each group has its own', async () => {
    const stage = await scene();
    await take(stage);
    await stage.send('a');
    await stage.bury(await stage.member('other'));
    expect(await take(stage)).toEqual([]);
  });
}

async function dies(stage: Scene, body: string): Promise<string> {
  await stage.send(body);
  const [delivery] = await stage.bury(await stage.member('g'));
  return delivery!.message.messageId;
}

function take(
  stage: Scene,
  options: Partial<{ max: number; leaseMs: number }> = {},
  ports: BrokerPorts = stage.ports,
): Promise<UntoldDeadLetter[]> {
  return ports.deadLetters.take(stage.topic, 'g', { max: 100, leaseMs: LEASE_MS, ...options });
}
