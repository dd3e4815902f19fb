import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import type { Member } from './member.js';
import { bodies, FAILED_TWICE } from './outgoing.js';
import type { Scene } from './scene.js';

const PARK = { type: 'park', reason: 'attempts-exhausted', text: 'no “price”', state: FAILED_TWICE } as const;
const ALL = { offset: 0, limit: 10 };

export function parkedAdminCases({ promise: register, scene }: ContractKit): void {
  const promise = (name: string, body: () => Promise<void>): void => register(name, body, 'orderedMode');

  /** Key `a` waits for an operator: one that failed, two behind it. Key `b` waits for its next attempt. */
  async function parked(): Promise<{ stage: Scene; one: Member }> {
    const stage = await scene();
    await stage.send(...['a1', 'a2', 'b1', 'a3'].map((body) => ({ orderingKey: body[0]!, body })));
    const one = await (await stage.member('g', { mode: 'ordered' })).own(0);
    const [a1, a2, b1, a3] = await one.drain();
    await one.settle([b1!], { type: 'retry', delayMs: 60_000, state: FAILED_TWICE });
    await stage.subject.advance(2);
    await one.settle([a2!, a3!], { type: 'follow' });
    expect(await one.settle([a1!], PARK)).toEqual(['settled']);
    return { stage, one };
  }

  promise('a key that is parked for an operator stays parked, whatever time passes and whoever owns it', async () => {
    const { stage, one } = await parked();
    await stage.promote();
    expect(await one.drain()).toEqual([]);
    await one.giveUp();
    const two = await (await stage.member('g', { mode: 'ordered' })).own(0);
    await stage.promote();
    expect(await two.drain()).toEqual([]);
    expect(await stage.group('g')).toMatchObject({ retrying: 1, parked: 3, leased: 0, dead: 0 });
  });

  promise('parked keys are listed, those that wait for an operator first', async () => {
    const { stage } = await parked();
    const [a, b, ...others] = await stage.ports.admin.parkedKeys(stage.topic, 'g', ALL);
    expect(others).toEqual([]);
    const failure = FAILED_TWICE.failures.at(-1);
    expect(a).toMatchObject({
      topic: stage.topic,
      group: 'g',
      orderingKey: 'a',
      queue: 0,
      state: 'exhausted',
      messages: 3,
      attempt: 3,
      reason: 'attempts-exhausted',
      text: 'no “price”',
      lastFailure: failure,
    });
    expect(a!.dueInMs).toBeUndefined();
    expect(Math.abs(a!.since.getTime() - stage.subject.now())).toBeLessThan(1000);
    expect(b).toMatchObject({ orderingKey: 'b', state: 'waiting', messages: 1, lastFailure: failure });
    expect(b!.dueInMs).toBeGreaterThan(50_000);
    expect(await stage.ports.admin.parkedKeys(stage.topic, 'g', { offset: 1, limit: 1 })).toEqual([
      expect.objectContaining({ orderingKey: 'b' }),
    ]);
  });

  promise('a key that is resumed begins with attempt 1 again, its story kept, and goes on in order', async () => {
    const { stage, one } = await parked();
    expect(await stage.ports.admin.resumeKey(stage.topic, 'g', 'a')).toBe('resumed');
    const again = await one.drainOne();
    expect(bodies([again])).toEqual(['a1']);
    expect(again.state).toEqual({ ...FAILED_TWICE, attempt: 1, crashes: 0 });
    await one.ack(again);
    expect(bodies(await one.drain())).toEqual(['a2', 'a3']);
  });

  promise(
    'of a key that is skipped the first message becomes a dead letter with its story, the others go on',
    async () => {
      const { stage, one } = await parked();
      const { result, messageId } = await stage.ports.admin.skipKey(stage.topic, 'g', 'a');
      expect(result).toBe('skipped');
      const [letter, ...others] = await stage.ports.admin.deadLetters(stage.topic, 'g', ALL);
      expect(others).toEqual([]);
      expect(letter).toMatchObject({
        messageId,
        reason: 'attempts-exhausted',
        text: 'no “price”',
        state: FAILED_TWICE,
      });
      expect(letter!.message.body.toString()).toBe('a1');
      const rest = await one.drain();
      expect(bodies(rest)).toEqual(['a2', 'a3']);
      await one.ack(...rest);
      expect(await stage.group('g')).toMatchObject({ parked: 0, retrying: 1, dead: 1, done: 2 });
    },
  );

  promise('a key that waits for its time can be resumed and skipped too', async () => {
    const { stage, one } = await parked();
    expect(await stage.ports.admin.resumeKey(stage.topic, 'g', 'b')).toBe('resumed');
    const again = await one.drainOne();
    expect(again.state.attempt).toBe(1);
    await one.settle([again], { type: 'retry', delayMs: 60_000, state: FAILED_TWICE });
    expect(await stage.ports.admin.skipKey(stage.topic, 'g', 'b')).toMatchObject({ result: 'skipped' });
    expect(await stage.ports.admin.parkedKeys(stage.topic, 'g', ALL)).toMatchObject([{ orderingKey: 'a' }]);
  });

  promise('a key that its owner has at this moment is left alone', async () => {
    const { stage, one } = await parked();
    await stage.ports.admin.resumeKey(stage.topic, 'g', 'a');
    const running = await one.drainOne();
    expect(await stage.ports.admin.resumeKey(stage.topic, 'g', 'a')).toBe('running');
    expect(await stage.ports.admin.skipKey(stage.topic, 'g', 'a')).toEqual({ result: 'running' });
    expect(await stage.ports.admin.parkedKeys(stage.topic, 'g', ALL)).toContainEqual(
      expect.objectContaining({ orderingKey: 'a', state: 'running', messages: 3 }),
    );
    expect(await one.ack(running)).toEqual(['settled']);
  });

  promise('a key that is not parked is not resumed and not skipped', async () => {
    const { stage } = await parked();
    expect(await stage.ports.admin.resumeKey(stage.topic, 'g', 'c')).toBe('not-parked');
    expect(await stage.ports.admin.skipKey(stage.topic, 'g', 'c')).toEqual({ result: 'not-parked' });
  });
}
