// Records of one bucket, as shared/record.lua keeps them: with the server's clock in the hand of the test, ahead of the true one.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { keyRecord } from '@millrace/core';
import { Redis } from 'ioredis';
import { recordBucket } from './keys.js';

const MINUTE = 60_000;
const lua = (name: string): string => readFileSync(new URL(`../lua/shared/${name}.lua`, import.meta.url), 'utf8');

const MODULE = `
local function now_ms() return tonumber(ARGV[1]) end
local function text(number) return string.format('%.0f', number) end
${lua('record')}
local operations = { read = read_record, keep = keep_record, keep_endless = keep_endless, prolong = prolong_record,
  drop = drop_record }
local operation, name, content, till = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if operation == 'prolong' then return prolong_record(KEYS[1], name, till) end
return (operations[operation](KEYS[1], name, content, till))`;

describe('a bucket of records', () => {
  const redis = new Redis(process.env['REDIS_URL']!);
  const base = Date.now() + MINUTE;
  let now: number;
  let bucket: string;

  beforeEach(() => {
    now = base;
    bucket = `{record-buckets:${randomBytes(6).toString('hex')}:0}:id:100`;
  });
  afterEach(() => redis.unlink(bucket));
  afterAll(() => redis.quit());

  const run = (...args: (string | number)[]): Promise<unknown> => redis.eval(MODULE, 1, bucket, now, ...args);
  const keep = (name: string, till: number): Promise<unknown> => run('keep', name, `content of ${name}`, till);
  const keepEndless = (name: string): Promise<unknown> => run('keep_endless', name, `content of ${name}`);
  const read = (name: string): Promise<unknown> => run('read', name);
  const end = (): Promise<number> => redis.pexpiretime(bucket);
  const ENDLESS = -1;

  it('says what a record holds until the ms of its end, though it is still there afterwards', async () => {
    await keep('a', base + 100);
    now = base + 99;
    expect(await read('a')).toBe('content of a');
    now = base + 100;
    expect(await read('a')).toBeNull();
    expect(await redis.hexists(bucket, 'a')).toBe(1);
    expect(await read('b')).toBeNull();
  });

  it('lives until its latest record ends, and no more than a minute longer, by its number', async () => {
    for (const ms of [10 * MINUTE, MINUTE, 30 * MINUTE, 2 * MINUTE]) await keep(`for ${ms}`, base + ms);
    expect(await end()).toBe(base + 30 * MINUTE + Math.floor((101 / 4096) * MINUTE));
    const before = await end();
    await keep('later', before);
    expect(await end()).toBe(before);
    await keep('later still', before + 1);
    expect(await end()).toBeGreaterThan(before);
  });

  it('is cleared of ended records by those that are written, and of no other', async () => {
    const window = 200;
    for (let n = 0; n < 2_000; n++, now++) await keep(`n ${n}`, now + window);
    const all = await redis.hgetall(bucket);
    const live = Object.values(all).filter((stored) => Number.parseInt(stored, 10) > now - 1);
    expect(live).toHaveLength(window);
    expect(Object.keys(all).length).toBeLessThan(3.5 * window);
  });

  it('has no end while records without end are in it, and then that of the latest other one', async () => {
    await keep('before', base + 10 * MINUTE);
    await keepEndless('half');
    expect(await end()).toBe(ENDLESS);
    await keep('long', base + 60 * MINUTE);
    await keep('short', base + MINUTE);
    await keepEndless('second half');
    await run('drop', 'half');
    expect(await end()).toBe(ENDLESS);
    expect(await read('half')).toBeNull();
    expect(await read('second half')).toBe('content of second half');
    await run('drop', 'nobody');
    await run('drop', 'short');
    expect(await end()).toBe(ENDLESS);
    await run('drop', 'second half');
    expect(await end()).toBeGreaterThanOrEqual(base + 60 * MINUTE);
    expect(await end()).toBeLessThan(base + 62 * MINUTE);
    expect(await redis.hkeys(bucket)).toEqual(['before', 'long']);
  });

  it('remembers the end it had before a record without end came, and is gone with its last record', async () => {
    await keep('before', base + 10 * MINUTE);
    await keepEndless('half');
    await run('drop', 'half');
    expect(await end()).toBeGreaterThanOrEqual(base + 10 * MINUTE);
    await keepEndless('half');
    await run('drop', 'before');
    await run('drop', 'half');
    expect(await redis.exists(bucket)).toBe(0);
    await keep('new', base + MINUTE);
    expect(await end()).toBeGreaterThanOrEqual(base + MINUTE);
    expect(await end()).toBeLessThan(base + 2 * MINUTE);
  });

  it('keeps a record without end through any clearing', async () => {
    await keepEndless('half');
    for (let n = 0; n < 200; n++, now += MINUTE) await keep(`n ${n}`, now + 1);
    expect(await read('half')).toBe('content of half');
    expect(await redis.hlen(bucket)).toBeLessThan(20);
    expect(await end()).toBe(ENDLESS);
  });

  it('moves the end of a record that has one', async () => {
    await keep('a', base + MINUTE);
    await keepEndless('half');
    await run('prolong', 'a', '', base + 10 * MINUTE);
    await run('prolong', 'half', '', base + 10 * MINUTE);
    await run('prolong', 'nobody', '', base + 10 * MINUTE);
    now = base + 10 * MINUTE;
    expect(await read('a')).toBeNull();
    expect(await read('half')).toBe('content of half');
    now--;
    expect(await read('a')).toBe('content of a');
    expect(await redis.hexists(bucket, 'nobody')).toBe(0);
    await run('drop', 'half');
    expect(await end()).toBeGreaterThanOrEqual(base + 10 * MINUTE);
  });

  it('takes every content as it comes', async () => {
    for (const content of ['', '|', '1|2', 'a|b\n|c', '\0']) {
      await run('keep', 'a', content, base + MINUTE);
      expect(await read('a')).toBe(content);
      await run('keep_endless', 'b', content);
      expect(await read('b')).toBe(content);
      await run('drop', 'b');
    }
  });

  it('is the same for scripts and for those who call them', async () => {
    const names = ['', 'k:1', 'k:123456789', 'm:ä', 'k:\u{1f600}', keyRecord('k', 'o'), `k:${'x'.repeat(5_000)}`];
    for (let n = 0; n < 500; n++) names.push(`k:${randomBytes(n % 40).toString('base64')}`, `k:${n}`);
    const buckets = `${lua('record-key')}
      local found = {}
      for index, name in ipairs(ARGV) do found[index] = record_key('prefix:', name) end
      return found`;
    expect(await redis.eval(buckets, 0, ...names)).toEqual(names.map((name) => `prefix:${recordBucket(name)}`));
  });
});
