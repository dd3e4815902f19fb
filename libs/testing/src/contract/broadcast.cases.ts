import { expect } from '@jest/globals';
import { BroadcastListener } from './broadcast-listener.js';
import type { ContractKit } from './broker-contract.js';
import { bodies } from './outgoing.js';
import type { Scene } from './scene.js';

/** Longer than any case may take: a case that ends was woken. */
const LONG = { waitMs: 60_000 };
// An implementation may trim in blocks of some hundred entries, so cases use more than one block.
const MANY = Array.from({ length: 600 }, (_, number) => `${number}`);
const AT_ONCE = { retention: 0 };

export function broadcastCases({ promise, scene }: ContractKit): void {
  promise(
    'a reader that starts with the last message gets everything sent after it was opened, and nothing before',
    async () => {
      const stage = await scene({ queues: 4, shards: 2 });
      await stage.send('before', 'before too');
      const reader = await BroadcastListener.open(stage);
      await stage.send('a', 'b', 'c');
      expect((await reader.drain()).toSorted()).toEqual(['a', 'b', 'c']);
    },
  );

  promise('a reader that starts with the first message gets everything that is kept', async () => {
    const stage = await scene();
    await stage.send('a', 'b');
    expect(await (await BroadcastListener.open(stage, { startFrom: 'first' })).drain()).toEqual(['a', 'b']);
  });

  promise('a reader can start at an instant, and one in the future means now', async () => {
    const stage = await scene();
    await stage.send('before');
    await stage.subject.advance(20);
    const instant = new Date(stage.subject.now());
    await stage.subject.advance(20);
    await stage.send('after');
    const future = await BroadcastListener.open(stage, { startFrom: new Date(stage.subject.now() + 3_600_000) });
    expect(await (await BroadcastListener.open(stage, { startFrom: instant })).drain()).toEqual(['after']);
    await stage.send('later');
    expect(await future.drain()).toEqual(['later']);
  });

  promise('every reader gets every message once, whatever group and process it is of', async () => {
    const stage = await scene();
    const readers = [
      await BroadcastListener.open(stage),
      await BroadcastListener.open(stage, { ports: await stage.process() }),
      await BroadcastListener.open(stage, { group: 'other' }),
    ];
    await stage.send(...MANY.slice(0, 250));
    for (const reader of readers) expect(await reader.drain({ max: 60 })).toEqual(MANY.slice(0, 250));
    for (const reader of readers) expect(await reader.drain()).toEqual([]);
  });

  promise('a message is read with everything it was sent with', async () => {
    const stage = await scene();
    const reader = await BroadcastListener.open(stage);
    const [receipt] = await stage.send({ body: 'a', tag: 'created', orderingKey: 'k', meta: '{"v":1}' });
    const { messageId } = receipt!;
    const [entry] = (await reader.read()).entries;
    expect(Math.abs(entry!.readyAt - stage.subject.now())).toBeLessThan(5000);
    const { meta, body, ...message } = entry!.message;
    expect(message).toEqual({ messageId, tag: 'created', orderingKey: 'k' });
    expect([meta, body].map(String)).toEqual(['{"v":1}', 'a']);
  });

  promise('a page holds about as many messages as were asked for', async () => {
    const stage = await scene();
    const reader = await BroadcastListener.open(stage);
    await stage.send(...MANY);
    const { entries } = await reader.read({ max: 10 });
    expect(entries.length).toBeGreaterThanOrEqual(10);
    expect(entries.length).toBeLessThan(40);
  });

  promise('reading takes nothing from a group, makes none, and leaves nothing pending', async () => {
    const stage = await scene();
    const member = await stage.member('g');
    const reader = await BroadcastListener.open(stage);
    await stage.send('a', 'b');
    expect(await reader.drain()).toEqual(['a', 'b']);
    const { groups } = await stage.ports.admin.stats(stage.topic);
    expect(groups).toMatchObject([{ group: 'g', ready: 2, leased: 0 }]);
    expect(bodies(await member.drain())).toEqual(['a', 'b']);
  });

  promise('reading again from the place before a message brings it and what follows', async () => {
    const stage = await scene();
    const reader = await BroadcastListener.open(stage);
    await stage.send('a', 'b', 'c');
    const { entries } = await reader.read();
    reader.places[0] = [entries[1]!.before];
    expect(await reader.drain()).toEqual(['b', 'c']);
    expect(reader.gaps).toEqual([]);
  });

  promise('a delayed message is read when it is promoted, not before', async () => {
    const stage = await scene();
    const reader = await BroadcastListener.open(stage);
    await stage.send({ body: 'delayed', due: { delayMs: 30 } });
    expect(await reader.drain()).toEqual([]);
    const waiting = reader.read(LONG);
    await stage.promoteUntil(1);
    expect((await waiting).entries.map(({ message }) => message.body.toString())).toEqual(['delayed']);
  });

  promise('a waiting reader is woken by a message that another process sends', async () => {
    const stage = await scene({ queues: 4 });
    const reader = await BroadcastListener.open(stage);
    const waiting = reader.read(LONG);
    await stage.subject.advance(20);
    await stage.sendFrom(await stage.process(), 'a');
    expect((await waiting).entries).toHaveLength(1);
  });

  promise('aborting ends a wait, and what comes later is there for the next read', async () => {
    const stage = await scene();
    const reader = await BroadcastListener.open(stage);
    const ending = new AbortController();
    const waiting = reader.read({ ...LONG, signal: ending.signal });
    await stage.subject.advance(20);
    ending.abort();
    expect((await waiting).entries).toEqual([]);
    await stage.send('a');
    expect(await reader.drain()).toEqual(['a']);
  });

  promise('a read that waits in vain returns nothing when its time is over', async () => {
    const stage = await scene();
    const waiting = (await BroadcastListener.open(stage)).read({ waitMs: 100 });
    await stage.subject.advance(120);
    expect(await waiting).toMatchObject({ entries: [], gaps: [] });
  });

  promise('close ends a wait', async () => {
    const stage = await scene();
    const ports = await stage.process();
    const waiting = (await BroadcastListener.open(stage, { ports })).read(LONG);
    await stage.subject.advance(20);
    await ports.broker.close();
    expect((await waiting).entries).toEqual([]);
  });

  promise('a topic that is only read by broadcast is trimmed by its retention', async () => {
    const stage = await scene({ ...AT_ONCE, retentionCount: 0 });
    const reader = await BroadcastListener.open(stage);
    await stage.send(...MANY);
    expect(await reader.drain()).toEqual(MANY);
    await stage.subject.advance(2);
    expect(await stage.ports.broker.trim(stage.topic)).toBeGreaterThan(0);
  });

  promise('a topic that is only read by broadcast keeps what its retention says', async () => {
    const stage = await scene({ retention: '1h' });
    await BroadcastListener.open(stage);
    await stage.send(...MANY);
    await stage.subject.advance(2);
    expect(await stage.ports.broker.trim(stage.topic)).toBe(0);
  });

  promise('a broadcast reader makes no trim remove what a declared group has not finished', async () => {
    const stage = await scene({ ...AT_ONCE, retentionCount: 0 });
    await BroadcastListener.open(stage);
    await stage.ports.broker.trim(stage.topic);
    // Declared by another process: whoever trims need not have heard of it.
    const member = await stage.member('g', { ports: await stage.process() });
    await stage.send(...MANY);
    await stage.subject.advance(2);
    expect(await stage.ports.broker.trim(stage.topic)).toBe(0);
    expect(bodies(await member.drain())).toEqual(MANY);
  });

  promise('a reader that read everything before a trim has missed nothing', async () => {
    const stage = await scene(AT_ONCE);
    const reader = await BroadcastListener.open(stage);
    await stage.send(...MANY);
    await reader.drain();
    expect(await trimmed(stage)).toBeGreaterThan(0);
    await stage.send('next');
    expect(await reader.drain()).toEqual(['next']);
    expect(reader.gaps).toEqual([]);
  });

  promise('what was trimmed before it was read is reported with its number, and the rest is read', async () => {
    const stage = await scene(AT_ONCE);
    const reader = await BroadcastListener.open(stage);
    await stage.send(...MANY.slice(0, 50));
    const first = await reader.drain();
    await stage.send(...MANY.slice(50));
    const gone = await trimmed(stage);
    expect(gone).toBeGreaterThan(50);
    await stage.send('next');
    const rest = await reader.drain();
    expect(reader.gaps).toEqual([{ queue: 0, missed: gone - 50 }]);
    expect([...first, ...MANY.slice(50, gone), ...rest]).toEqual([...MANY, 'next']);
  });

  promise('a gap is reported once', async () => {
    const stage = await scene(AT_ONCE);
    const reader = await BroadcastListener.open(stage);
    await stage.send(...MANY);
    await trimmed(stage);
    await reader.drain();
    await stage.send('next');
    await reader.drain();
    expect(reader.gaps).toHaveLength(1);
  });

  promise('a reader that starts with the first message has not missed what was trimmed before', async () => {
    const stage = await scene(AT_ONCE);
    await BroadcastListener.open(stage);
    await stage.send(...MANY);
    await trimmed(stage);
    const reader = await BroadcastListener.open(stage, { startFrom: 'first' });
    await stage.send('next');
    expect((await reader.drain()).at(-1)).toBe('next');
    expect(reader.gaps).toEqual([]);
  });

  promise('a named instance goes on where its places were kept, also with a gap to report', async () => {
    const stage = await scene({ ...AT_ONCE, queues: 1 });
    const name = { instance: 'pod-1' };
    const first = await BroadcastListener.open(stage, name);
    await stage.send('a', 'b');
    await first.read();
    await first.keep();
    await stage.send(...MANY);
    const gone = await trimmed(stage);
    const second = await BroadcastListener.open(stage, { ...name, ports: await stage.process() });
    await second.drain();
    expect(second.gaps).toEqual([{ queue: 0, missed: gone - 2 }]);
  });

  promise('places are kept for one instance of one group; others start where they are told to', async () => {
    const stage = await scene();
    const first = await BroadcastListener.open(stage, { instance: 'pod-1', startFrom: 'first' });
    await first.keep();
    await stage.send('a');
    const open = (options: object): Promise<BroadcastListener> => BroadcastListener.open(stage, options);
    expect(await (await open({ instance: 'pod-1' })).drain()).toEqual(['a']);
    expect(await (await open({ instance: 'pod-2' })).drain()).toEqual([]);
    expect(await (await open({ instance: 'pod-1', group: 'other' })).drain()).toEqual([]);
    expect(await (await open({})).drain()).toEqual([]);
  });
}

/** Time for the retention of 0 to be over, then a trim. */
async function trimmed(stage: Scene): Promise<number> {
  await stage.subject.advance(2);
  return stage.ports.broker.trim(stage.topic);
}
