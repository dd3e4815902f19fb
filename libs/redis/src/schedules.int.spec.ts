// Recurring messages on a real server, in its own time: fast ticks, three processes, one of them killed.
import { randomBytes } from 'node:crypto';
import { Mq } from '@millrace/core';
import { Redis } from 'ioredis';
import { connectRedis } from './connect-redis.js';

const connection = process.env['REDIS_URL']!;
const EVERY_MS = 100;
let namespace: string;
let opened: Mq[];

beforeEach(() => {
  namespace = `schedules-${randomBytes(6).toString('hex')}`;
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((mq) => mq.close()));
  const redis = new Redis(connection);
  const keys = await redis.keys(`{${namespace}:*`);
  if (keys.length > 0) await redis.unlink(...keys);
  await redis.quit();
});

function open(): Mq {
  const mq = new Mq(connectRedis({ connection, namespace }), { topics: [{ topic: 'ticks', shards: 2, queues: 4 }] });
  opened.push(mq);
  return mq;
}

const fast = { topic: 'ticks', every: EVERY_MS, body: { kind: 'fast' } };

/** A process that notes the ticks it is given, and resolves when there are so many. */
function listen(mq: Mq): { heard: string[]; until: (count: number) => Promise<void> } {
  const heard: string[] = [];
  let [wanted, enough] = [Infinity, (): void => undefined];
  mq.listen({ topic: 'ticks', group: 'g' }, async ({ message }) => {
    heard.push(message.headers['mq-tick']!);
    if (heard.length >= wanted) enough();
  });
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      [wanted, enough] = [count, resolve];
      if (heard.length >= count) resolve();
    });
  return { heard, until };
}

it('sends each tick once from three processes, also when one of them is killed half-way', async () => {
  const [first, second, third] = [open(), open(), open()];
  const { heard, until } = listen(first);
  await first.start();
  for (const mq of [first, second, third]) await mq.schedules.upsert('fast', fast);
  await until(20);
  // As a process that dies: its connections are gone, nothing is handed over.
  await second.ports.broker.close();
  await until(40);
  await third.schedules.pause('ticks', 'fast', { by: 'test', why: 'enough' });
  const count = heard.length;
  const instants = heard.map((tick) => Date.parse(tick)).toSorted((a, b) => a - b);
  expect(new Set(instants).size).toBe(count);
  instants.forEach((at, index) => expect(at).toBe(instants[0]! + index * EVERY_MS));
});

it('says the same to every process, and lets a pause and a removal take the tick that waits', async () => {
  const [first, second] = [open(), open()];
  const daily = { topic: 'ticks', cron: '0 0 * * *', timeZone: 'Asia/Tokyo', orderingKey: 'o', missed: 'all' } as const;
  await first.schedules.upsert('daily', daily);
  const soon = { topic: 'ticks', every: '50s', orderingKey: 'o' };
  const { revision } = await first.schedules.upsert('soon', soon);
  const scheduled = async (): Promise<number> => (await first.admin.stats('ticks')).scheduled;
  await first.events.next('tick');
  expect(await scheduled()).toBe(1);
  expect(await second.schedules.upsert('soon', soon)).toMatchObject({ revision });
  expect(await second.schedules.list('ticks')).toMatchObject([
    { name: 'daily', cron: '0 0 * * *', timeZone: 'Asia/Tokyo', missed: 'all' },
    { name: 'soon', everyMs: 50_000, missed: 'skip', nextAt: expect.any(Date) },
  ]);
  await second.schedules.pause('ticks', 'soon', { by: 'ana', why: 'x' });
  expect(await scheduled()).toBe(0);
  expect(await first.schedules.get('ticks', 'soon')).toMatchObject({ paused: { by: 'ana' }, body: null });
  const again = second.events.next('tick');
  expect(await second.schedules.resume('ticks', 'soon')).toBe(true);
  await again;
  expect(await scheduled()).toBe(1);
  expect(await first.schedules.remove('ticks', 'soon')).toBe(true);
  expect(await scheduled()).toBe(0);
  expect(await second.schedules.list('ticks')).toMatchObject([{ name: 'daily' }]);
});

it('stores the schedules of a process again when the server lost its data', async () => {
  const mq = open();
  await mq.schedules.upsert('fast', fast);
  await mq.events.next('tick');
  const redis = new Redis(connection);
  await redis.unlink(...(await redis.keys(`{${namespace}:*`)));
  await redis.quit();
  await mq.schedules.upsert('other', { topic: 'ticks', every: '1h' });
  await mq.events.next('tick');
  expect((await mq.schedules.list('ticks')).map(({ name }) => name)).toEqual(['fast', 'other']);
});
