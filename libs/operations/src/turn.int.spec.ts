import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { defineTurnScripts, Turn } from './turn.js';

let client: Redis;
beforeAll(() => {
  client = new Redis(process.env.REDIS_URL!);
  defineTurnScripts(client);
});
afterAll(() => client.quit());

const of = (key: string, operation: string, lifeMs = 60_000): Turn =>
  new Turn(client, key, operation, randomUUID(), lifeMs);

it('a turn belongs to one operation until it leaves', async () => {
  const key = `turn-${randomUUID()}`;
  const [first, second] = [of(key, 'a'), of(key, 'ab')];
  expect([await first.take(), await second.take()]).toEqual([true, false]);
  expect([await first.keep(), await second.keep()]).toEqual([true, false]);
  await second.leave();
  expect(await first.keep()).toBe(true);
  await first.leave();
  expect(await second.take()).toBe(true);
  await client.del(key);
});

it('a second run of the same operation takes it over, and the first one notices', async () => {
  const key = `turn-${randomUUID()}`;
  const [frozen, next] = [of(key, 'a'), of(key, 'a')];
  expect([await frozen.take(), await next.take()]).toEqual([true, true]);
  expect([await frozen.keep(), await next.keep()]).toEqual([false, true]);
  await frozen.leave();
  expect(await next.keep()).toBe(true);
  await next.leave();
});

it('a turn that ran out is not kept by whoever slept through it', async () => {
  const key = `turn-${randomUUID()}`;
  const asleep = of(key, 'a', 60_000);
  await asleep.take();
  await client.del(key);
  expect(await asleep.keep()).toBe(false);
  expect(await client.exists(key)).toBe(0);
});
