import { expect } from '@jest/globals';
import type { Delivery } from '@millrace/core';
import type { ContractKit } from './broker-contract.js';
import type { Member } from './member.js';
import { bodies, FAILED_TWICE } from './outgoing.js';
import type { Scene } from './scene.js';

const ALL = { offset: 0, limit: 100 };

export function redriveCases({ promise, scene }: ContractKit): void {
  promise(
    'a redriven message returns to its group only: attempt 1, no crashes, generation + 1, history kept',
    async () => {
      const stage = await scene();
      const [one, two] = [await stage.member('one'), await stage.member('two')];
      await stage.send({ body: 'a', tag: 't' });
      await two.ack(...(await two.drain()));
      const delivery = await one.drainOne();
      await one.settle([delivery], {
        type: 'dead-letter',
        reason: 'no-retry',
        state: { ...FAILED_TWICE, generation: 1 },
      });
      const { messageId } = delivery.message;
      expect(await stage.ports.admin.redrive(stage.topic, 'one', { messageIds: [messageId] })).toEqual([messageId]);
      expect(await two.drain()).toEqual([]);
      const again = await one.drainOne();
      expect(again).toMatchObject({ source: 'retry', message: { messageId, tag: 't' } });
      expect(bodies([again])).toEqual(['a']);
      expect(again.state).toEqual({ ...FAILED_TWICE, attempt: 1, crashes: 0, generation: 2 });
      expect(await stage.ports.admin.deadLetters(stage.topic, 'one', ALL)).toEqual([]);
      expect(await one.ack(again)).toEqual(['settled']);
      expect(await stage.group('one')).toMatchObject({ ready: 0, leased: 0, dead: 0, done: 1 });
    },
  );

  promise('a message that failed without history is redriven without one', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    await stage.bury(member);
    await stage.ports.admin.redrive(stage.topic, 'g', { max: 1 });
    expect((await member.drainOne()).state).toEqual({ attempt: 1, crashes: 0, generation: 1, failures: [] });
  });

  promise('redriving a number takes the oldest dead letters', async () => {
    const stage = await scene({ queues: 2, shards: 2 });
    const member = await stage.member('g');
    const ids: string[] = [];
    for (const [number, body] of ['1', '2', '3', '4'].entries()) {
      await stage.send({ body, orderingKey: stage.keyOf(number % 2) });
      ids.push(...(await stage.bury(member)).map(({ message }) => message.messageId));
    }
    const redriven = await stage.ports.admin.redrive(stage.topic, 'g', { max: 2 });
    expect(redriven.toSorted()).toEqual(ids.slice(0, 2).toSorted());
    expect(bodies(await member.drain()).toSorted()).toEqual(['1', '2']);
    expect(await stage.group('g')).toMatchObject({ dead: 2 });
  });

  promise('ids that are no dead letters of the group are passed over', async () => {
    const stage = await scene();
    await stage.send('a', 'b');
    const member = await stage.member('g');
    const [first, second] = await member.drain();
    await member.settle([first!], { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
    const messageIds = [second!.message.messageId, 'unknown', first!.message.messageId];
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { messageIds })).toEqual([first!.message.messageId]);
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { messageIds })).toEqual([]);
  });

  promise('two processes that redrive at once return each dead letter once', async () => {
    const stage = await scene();
    const sent = Array.from({ length: 20 }, (_, number) => `${number}`);
    await stage.send(...sent);
    const member = await stage.member('g');
    const state = FAILED_TWICE;
    await member.settle(await member.drain(), { type: 'dead-letter', reason: 'rejected', state });
    const others = await Promise.all([stage.process(), stage.process()]);
    await Promise.all(others.map(({ admin }) => admin.redrive(stage.topic, 'g', { max: 20 })));
    expect(bodies(await member.drain()).toSorted()).toEqual(sent.toSorted());
  });

  promise('after 3 redrives a dead letter is quarantined: only force brings it back', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    const messageIds = await buryAfterRedrives(stage, member, 3);
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { messageIds })).toEqual([]);
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { max: 10 })).toEqual([]);
    expect(await stage.ports.admin.deadLetters(stage.topic, 'g', ALL)).toHaveLength(1);
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { messageIds, force: true })).toEqual(messageIds);
    expect((await member.drainOne()).state).toMatchObject({ attempt: 1, generation: 4 });
  });

  promise('quarantined dead letters do not use up the number that is asked for', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    await stage.send('quarantined');
    await buryAfterRedrives(stage, member, 3);
    await stage.send('free');
    const [free] = (await stage.bury(member)).map(({ message }) => message.messageId);
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { max: 1 })).toEqual([free]);
    expect(bodies(await member.drain())).toEqual(['free']);
  });

  promise('a letter that died after the given instant is left alone, by redrive and by purge', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    await stage.send('a');
    const [name] = (await stage.bury(member)).map(({ message }) => message.messageId);
    const diedUntil = new Date(await stage.ports.admin.now());
    await stage.subject.advance(2);
    await stage.send('b');
    const [late] = (await stage.bury(member)).map(({ message }) => message.messageId);
    const messageIds = [name!, late!];
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { messageIds, diedUntil })).toEqual([name]);
    // The same letter again: this death is another one.
    await stage.bury(member);
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { messageIds, diedUntil })).toEqual([]);
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { max: 9, diedUntil })).toEqual([]);
    expect(await stage.ports.admin.purgeDeadLetters(stage.topic, 'g', messageIds, { diedUntil })).toBe(0);
    expect(await stage.group('g')).toMatchObject({ dead: 2 });
  });

  promise('a redriven message that is retried keeps its generation', async () => {
    const stage = await scene();
    await stage.send('a');
    const member = await stage.member('g');
    await stage.bury(member);
    await stage.ports.admin.redrive(stage.topic, 'g', { max: 1 });
    const delivery = await member.drainOne();
    await member.settle([delivery], { type: 'retry', delayMs: 0, state: { ...delivery.state, attempt: 2 } });
    await stage.promote();
    expect((await member.drainOne()).state).toMatchObject({ attempt: 2, generation: 1 });
  });
}

/** Leaves the group's one message dead after so many redrives; returns its id. */
async function buryAfterRedrives(stage: Scene, member: Member, redrives: number): Promise<string[]> {
  let dead: Delivery[] = await stage.bury(member);
  for (let round = 0; round < redrives; round++) {
    const messageIds = dead.map(({ message }) => message.messageId);
    expect(await stage.ports.admin.redrive(stage.topic, 'g', { messageIds })).toEqual(messageIds);
    dead = await stage.bury(member);
  }
  return dead.map(({ message }) => message.messageId);
}
