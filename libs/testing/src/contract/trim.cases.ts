import { expect } from '@jest/globals';
import type { ContractKit } from './broker-contract.js';
import { bodies, FAILED_TWICE } from './outgoing.js';
import type { Scene } from './scene.js';

// An implementation may trim in blocks of some hundred entries, so cases use more than one block.
const MANY = Array.from({ length: 600 }, (_, number) => `${number}`);
const AT_ONCE = { retention: 0 };

export function trimCases({ promise, scene }: ContractKit): void {
  promise('what every group has finished and retention does not keep is removed', async () => {
    const stage = await scene(AT_ONCE);
    await finish(stage, 'one');
    await finish(stage, 'two');
    await stage.subject.advance(2);
    expect(await stage.ports.broker.trim(stage.topic)).toBeGreaterThan(0);
    expect((await left(stage)).length).toBeLessThan(MANY.length);
  });

  promise('what is sent before any group exists is kept for the first one', async () => {
    const stage = await scene({ retention: 0, retentionCount: 0 });
    await stage.send(...MANY);
    await stage.subject.advance(2);
    expect(await stage.ports.broker.trim(stage.topic)).toBe(0);
    expect(await (await stage.member('first')).drain()).toHaveLength(MANY.length);
  });

  promise('what a declared group has not read is never removed', async () => {
    const stage = await scene(AT_ONCE);
    const slow = await stage.member('slow');
    await finish(stage, 'quick');
    await stage.subject.advance(2);
    expect(await stage.ports.broker.trim(stage.topic)).toBe(0);
    expect(bodies(await slow.drain())).toEqual(MANY);
  });

  promise('what a declared group has read but not settled is never removed, nor what comes after it', async () => {
    const stage = await scene(AT_ONCE);
    await finish(stage, 'quick');
    const slow = await stage.member('slow');
    const deliveries = await slow.drain();
    await slow.ack(...deliveries.slice(1));
    await stage.subject.advance(2);
    expect(await stage.ports.broker.trim(stage.topic)).toBe(0);
    expect(await left(stage)).toEqual(MANY);
    expect(await slow.ack(deliveries[0]!)).toEqual(['settled']);
  });

  promise('retention in time keeps what everybody has finished', async () => {
    const stage = await scene({ retention: '1h' });
    await finish(stage, 'one');
    expect(await stage.ports.broker.trim(stage.topic)).toBe(0);
    expect(await left(stage)).toEqual(MANY);
  });

  promise(
    'retention in number keeps the newest finished messages and removes older ones',
    async () => {
      const stage = await scene({ retention: '1h', retentionCount: 250 });
      await finish(stage, 'one');
      expect(await stage.ports.broker.trim(stage.topic)).toBeGreaterThan(0);
      const kept = await left(stage);
      expect(kept.length).toBeGreaterThanOrEqual(250);
      expect(kept.length).toBeLessThan(MANY.length);
      expect(kept).toEqual(MANY.slice(-kept.length));
    },
    'retentionCount',
  );

  promise('retention in bytes keeps the newest finished messages and removes older ones', async () => {
    const stage = await scene({ retention: '1h', retentionBytes: 300_000 });
    await stage.send(...MANY.map((body) => ({ body: `${body} ${'x'.repeat(1000)}` })));
    const member = await stage.member('g');
    await member.ack(...(await member.drain()));
    await afterwards(stage);
    let removed = 0;
    for (let round = 0; round < 10; round++) removed += await stage.ports.broker.trim(stage.topic);
    expect(removed).toBeGreaterThan(0);
    const kept = (await left(stage)).map((body) => body.split(' ')[0]!);
    expect(kept.length).toBeGreaterThan(100);
    // By the server's estimate, and in whole blocks.
    expect(kept.length).toBeLessThan(400);
    expect(kept).toEqual(MANY.slice(-kept.length));
  });

  promise('retention in bytes never removes what a declared group has not finished', async () => {
    const stage = await scene({ retention: '1h', retentionBytes: 0 });
    const slow = await stage.member('slow');
    await finish(stage, 'quick');
    expect(await stage.ports.broker.trim(stage.topic)).toBe(0);
    expect(bodies(await slow.drain())).toEqual(MANY);
  });

  promise('a group that another process declared a moment ago is respected', async () => {
    const stage = await scene(AT_ONCE);
    await finish(stage, 'quick');
    await stage.subject.advance(2);
    // This process has just looked up which groups there are.
    await stage.promote();
    const young = await stage.member('young', { ports: await stage.process() });
    expect(await stage.ports.broker.trim(stage.topic)).toBe(0);
    expect(bodies(await young.drain())).toEqual(MANY);
  });

  promise('dead letters beyond their number go, the oldest first, and are counted', async () => {
    const stage = await scene({ deadLetterCount: 2 });
    const member = await stage.member('g');
    await stage.send('a', 'b', 'c', 'd');
    await stage.bury(member);
    await stage.ports.broker.trim(stage.topic);
    expect(await stage.group('g')).toMatchObject({ dead: 2, purged: 2 });
    await stage.ports.admin.redrive(stage.topic, 'g', { max: 10 });
    expect(bodies(await member.drain()).toSorted()).toEqual(['c', 'd']);
  });

  promise('retention in number never removes what a declared group has not read', async () => {
    const stage = await scene({ retention: '1h', retentionCount: 10 });
    const slow = await stage.member('slow');
    await finish(stage, 'quick');
    await stage.ports.broker.trim(stage.topic);
    expect(bodies(await slow.drain())).toEqual(MANY);
  });

  promise('scheduled, retrying and dead messages outlive a trim', async () => {
    const stage = await scene(AT_ONCE);
    const member = await stage.member('g');
    await stage.send({ body: 'scheduled', due: { delayMs: 30 } }, 'retrying', 'dead');
    const [retrying, dead] = await member.drain();
    await member.settle([retrying!], { type: 'retry', delayMs: 30, state: FAILED_TWICE });
    await member.settle([dead!], { type: 'dead-letter', reason: 'rejected', state: FAILED_TWICE });
    await stage.send(...MANY);
    await member.ack(...(await member.drain()));
    await stage.subject.advance(2);
    await stage.ports.broker.trim(stage.topic);
    await stage.promoteUntil(2);
    await stage.ports.admin.redrive(stage.topic, 'g', { max: 1 });
    await stage.ports.broker.trim(stage.topic);
    expect(bodies(await member.drain()).toSorted()).toEqual(['dead', 'retrying', 'scheduled']);
  });

  promise('a trim does not move a group: after it the next message is the next one', async () => {
    const stage = await scene(AT_ONCE);
    const member = await finish(stage, 'g');
    await stage.subject.advance(2);
    await stage.ports.broker.trim(stage.topic);
    await stage.send('next');
    expect(bodies(await member.drain())).toEqual(['next']);
    expect(await stage.group('g')).toMatchObject({ ready: 0, leased: 1, done: MANY.length });
  });

  promise('with nothing to remove a trim removes nothing', async () => {
    const stage = await scene(AT_ONCE);
    await stage.member('g');
    expect(await stage.ports.broker.trim(stage.topic)).toBe(0);
  });
}

/** Sends the messages, unless they are there, and lets a group finish them all. */
async function finish(stage: Scene, group: string) {
  if ((await stage.ports.admin.stats(stage.topic)).accepted === 0) await stage.send(...MANY);
  const member = await stage.member(group);
  await member.ack(...(await member.drain()));
  await afterwards(stage);
  return member;
}

/** What is written in this very instant need not be trimmed yet: where time stands still, that is everything. */
const afterwards = (stage: Scene): Promise<void> => stage.subject.advance(2);

/** What a group that comes late can still read. */
async function left(stage: Scene): Promise<string[]> {
  return bodies(await (await stage.member('latecomer')).drain());
}
