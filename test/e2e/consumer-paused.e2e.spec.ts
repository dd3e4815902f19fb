// A process that SIGSTOP stops can be a child only. The program is test/support/paused-consumer.ts, compiled.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Mq } from '@millrace/core';
import { connectRedis } from '@millrace/redis';
import pg from 'pg';
import { createOwnSchema, type OwnSchema } from '../support/own-schema.js';
import { until } from '../support/until.js';

const PROGRAM = fileURLToPath(new URL('../../dist/test/support/paused-consumer.js', import.meta.url));
const LEAVE_WITH_PARENT = new URL('../../dist/test/demo/leave-with-parent.js', import.meta.url).href;

interface Member {
  readonly child: ChildProcess;
  /** What it told, in its order. */
  readonly told: string[];
}

describe('a consumer that is stopped for longer than its lease', () => {
  let namespace: string;
  let schema: OwnSchema;
  let pool: pg.Pool;
  let mq: Mq;
  let members: Member[];

  beforeEach(async () => {
    const id = randomUUID().replaceAll('-', '');
    namespace = `paused-${id}`;
    schema = await createOwnSchema(process.env.DATABASE_URL!, `paused_${id}`);
    pool = new pg.Pool({ connectionString: schema.url });
    await pool.query('create table effects (writer text)');
    await pool.query('create table stock (fence bigint, writer text)');
    await pool.query("insert into stock values (0, 'nobody')");
    mq = new Mq(connectRedis({ connection: process.env.REDIS_URL!, namespace }));
    members = [];
  });

  afterEach(async () => {
    await Promise.all(members.map(({ child }) => end(child)));
    await mq.close();
    await pool.end();
    await schema.drop();
  });

  it('before its inbox transaction makes no second effect: its record is refused, its ack too, and that is reported', async () => {
    const late = await stopped('inbox', 'before-inbox');
    const next = await start('next', 'inbox', 'never');
    await tells(next, 'done');
    await wake(late);
    await tells(late, 'lease-lost');
    expect(await effects()).toEqual(['next']);
    expect(late.told).toEqual(['ready', 'paused', 'lease-lost']);
    await expectDoneOnce();
  }, 40_000);

  it('inside its inbox transaction makes the only effect: the next owner waits for it, its late ack is refused', async () => {
    const late = await stopped('inbox', 'inside');
    const next = await start('next', 'inbox', 'never');
    // The record is in a transaction that has not ended.
    await tells(next, 'released');
    expect(await effects()).toEqual([]);
    await wake(late);
    await tells(late, 'lease-lost');
    // By whichever process it comes to now: the inbox knows it.
    await expectDoneOnce();
    expect(await effects()).toEqual(['late']);
    expect(late.told.slice(0, 3)).toEqual(['ready', 'paused', 'lease-lost']);
  }, 40_000);

  it('makes no second effect through a fence; its key and its ack are refused, and that is reported', async () => {
    const late = await stopped('fence', 'inside');
    const next = await start('next', 'fence', 'never');
    await tells(next, 'done');
    await wake(late);
    await tells(late, 'lease-lost');
    expect(await effects()).toEqual(['next']);
    expect((await pool.query<{ writer: string }>('select writer from stock')).rows).toEqual([{ writer: 'next' }]);
    expect(late.told).toEqual(['ready', 'paused', 'refused by the fence', 'claim-lost', 'lease-lost']);
    await expectDoneOnce();
  }, 40_000);

  /** A process that holds the only message, and stands still. */
  async function stopped(kind: string, pausePoint: string): Promise<Member> {
    const late = await start('late', kind, pausePoint);
    await mq.producer.send('sales', { item: 1 });
    await tells(late, 'paused');
    late.child.kill('SIGSTOP');
    return late;
  }

  async function wake({ child }: Member): Promise<void> {
    child.kill('SIGCONT');
    child.send('go on');
  }

  async function start(name: string, kind: string, pausePoint: string): Promise<Member> {
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', '--import', LEAVE_WITH_PARENT, PROGRAM, name, kind, pausePoint, namespace],
      { env: { ...process.env, DATABASE_URL: schema.url }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    );
    const member: Member = { child, told: [] };
    child.on('message', ({ is }: { is: string }) => member.told.push(is));
    members.push(member);
    await tells(member, 'ready');
    return member;
  }

  function tells(member: Member, what: string): Promise<boolean> {
    return until(`a process tells ${what}, after ${member.told.join(', ')}`, () => member.told.includes(what), 15_000);
  }

  async function effects(): Promise<string[]> {
    return (await pool.query<{ writer: string }>('select writer from effects')).rows.map(({ writer }) => writer);
  }

  async function expectDoneOnce(): Promise<void> {
    const stats = async () => (await mq.admin.stats('sales')).groups[0];
    await until('the message is done', async () => (await stats())?.done === 1);
    expect(await stats()).toMatchObject({ done: 1, ready: 0, leased: 0, retrying: 0, dead: 0 });
  }
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
