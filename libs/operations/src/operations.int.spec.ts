// Operations on a real server, with real BullMQ.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newMessageId, systemClock } from '@millrace/core';
import { MqModule } from '@millrace/nestjs';
import { connectRedis } from '@millrace/redis';
import { Test } from '@nestjs/testing';
import { DeadGroup } from '../test/dead-group.js';
import { deadLetterLines, type ExportedDeadLetter } from './export/exported-dead-letter.js';
import { MqOperationsModule } from './module/mq-operations.module.js';
import type { OperationHandle } from './operation-handle.js';
import { Operations } from './operations.js';
import type { OperationsOptions } from './operations-options.js';

const connection = process.env.REDIS_URL!;
const SLOWLY = { max: 100, per: '1s' };

let namespace: string;
let group: DeadGroup;
let opened: Operations[];
let folder: string;

beforeEach(async () => {
  namespace = `operations-${newMessageId()}`;
  group = new DeadGroup(connectRedis({ connection, namespace }));
  opened = [];
  folder = await mkdtemp(join(tmpdir(), 'millrace-export-'));
});
afterEach(async () => {
  await Promise.all(opened.map((operations) => operations.close()));
  await group.close();
  await rm(folder, { recursive: true });
});

/** One more process. */
function open(options: OperationsOptions = {}): Operations {
  const operations = new Operations({ connection, namespace, takeover: '1s', ...options }, { admin: group.admin });
  opened.push(operations);
  operations.start();
  return operations;
}

async function until(handle: OperationHandle, what: (done: number, state: string) => boolean): Promise<void> {
  for (;;) {
    const { done, state } = await handle.progress();
    if (what(done, state)) return;
    await systemClock.wait(10);
  }
}

const on = (): [string, string] => [group.topic, group.group];

describe('operations', () => {
  it('redrive in the background and are remembered with what came of them', async () => {
    const ids = await group.die(30);
    const handle = await open().redrive(...on(), { filter: { diedBefore: new Date(Date.now() + 60_000) } });
    const record = await handle.done;
    expect(record).toMatchObject({ kind: 'redrive', state: 'done', total: 30, done: 30, quarantined: 0, gone: 0 });
    expect((await group.receive(31)).map(({ message }) => message.messageId).toSorted()).toEqual(ids.toSorted());
    const [latest] = await opened[0]!.list();
    expect(latest).toEqual(record);
    expect(latest!.filter.diedBefore).toBeInstanceOf(Date);
    expect(await (await opened[0]!.find(handle.id))!.progress()).toMatchObject({ state: 'done', done: 30 });
    expect(await opened[0]!.find('unknown')).toBeUndefined();
  });

  it('count in a dry run and change nothing', async () => {
    await group.die(5);
    expect(await (await open().purge(...on(), { dryRun: true })).done).toMatchObject({
      total: 5,
      done: 0,
      dryRun: true,
    });
    expect(await group.dead()).toBe(5);
    expect(await (await opened[0]!.purge(...on())).done).toMatchObject({ total: 5, done: 5 });
    expect(await group.dead()).toBe(0);
  });

  it('stop when they are asked to and go on where they were, from any process', async () => {
    await group.die(60);
    const here = open({ run: false });
    open();
    const handle = await here.redrive(...on(), { rate: SLOWLY });
    await until(handle, (done) => done > 0);
    await handle.stop();
    const stopped = await handle.done;
    expect(stopped.state).toBe('stopped');
    expect(stopped.done).toBeLessThan(60);
    expect(await group.dead()).toBe(60 - stopped.done);
    // What dies while it is stopped is none of its business, and what it redrove itself is among that.
    await group.die(3);
    await handle.resume();
    expect(await handle.done).toMatchObject({ state: 'done', total: 60, done: 60 });
    expect(await group.dead()).toBe(3 + stopped.done);
    await handle.resume();
    expect(await handle.progress()).toMatchObject({ state: 'done', done: 60 });
  });

  it('that nobody has begun stop and go on too', async () => {
    await group.die(2);
    const here = open({ run: false });
    const handle = await here.redrive(...on());
    await handle.stop();
    expect(await handle.progress()).toMatchObject({ state: 'stopped', done: 0 });
    await handle.resume();
    expect(await handle.progress()).toMatchObject({ state: 'waiting' });
    open();
    expect(await handle.done).toMatchObject({ state: 'done', done: 2 });
  });

  it('go on in another process when theirs closes', async () => {
    await group.die(60);
    const first = open();
    const watching = open({ run: false });
    const { id } = await first.redrive(...on(), { rate: SLOWLY });
    const handle = (await watching.find(id))!;
    await until(handle, (done) => done > 0);
    await first.close();
    expect(await group.dead()).toBeGreaterThan(0);
    open();
    expect(await handle.done).toMatchObject({ state: 'done', total: 60, done: 60, gone: 0 });
  });

  it('on one group run one after the other, on two side by side', async () => {
    await group.die(40);
    const other = new DeadGroup(group.ports);
    await other.die(1);
    const operations = open();
    open();
    const slow = await operations.redrive(...on(), { rate: SLOWLY });
    await until(slow, (done) => done > 0);
    const second = await operations.purge(...on());
    expect(await (await operations.redrive(other.topic, other.group)).done).toMatchObject({ done: 1 });
    expect(await second.progress()).toMatchObject({ done: 0 });
    expect(await slow.done).toMatchObject({ total: 40, done: 40 });
    // Its letters were redriven before it came to them.
    expect(await second.done).toMatchObject({ total: 0, done: 0 });
  });

  it('export to a file, each letter once, also after a stop', async () => {
    const ids = await group.die(50);
    const file = join(folder, 'letters.ndjson');
    const handle = await open().export(...on(), { to: { file }, rate: SLOWLY });
    await until(handle, (done) => done > 0);
    await handle.stop();
    await handle.done;
    await handle.resume();
    expect(await handle.done).toMatchObject({ state: 'done', total: 50, done: 50 });
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const letters = lines.map((line) => JSON.parse(line) as ExportedDeadLetter);
    expect(letters.map(({ messageId }) => messageId).toSorted()).toEqual(ids.toSorted());
    expect(letters[0]).toMatchObject({ reason: 'rejected', group: 'billing', body: { n: expect.any(Number) } });
    expect(await group.dead()).toBe(50);
  });

  it('export to a sink by name, and to any stream without an operation', async () => {
    const ids = await group.die(3);
    const got: string[] = [];
    const sinks = {
      archive: (letters: readonly ExportedDeadLetter[]) => void got.push(...letters.map(({ name }) => name)),
    };
    await (
      await open({ sinks }).export(...on(), { to: 'archive' })
    ).done;
    expect(got.toSorted()).toEqual(ids.toSorted());
    const lines = await text(Readable.from(deadLetterLines(group.admin, ...on())));
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as ExportedDeadLetter).name),
    ).toEqual(got);
  });

  it.each([
    [{ filter: { reasons: 'x' } }],
    [{ rate: { max: 0, per: '1s' } }],
    [{ rate: { max: 1 } }],
    [{ dryRun: 'yes' }],
    [{ speed: 1 }],
  ])('with a bad option (%j) are refused before anything is stored', async (options) => {
    const operations = open({ run: false });
    await expect(operations.redrive('orders', 'billing', options as object)).rejects.toMatchObject({
      code: 'MQ_INVALID_OPTION',
    });
    await expect(operations.redrive('or ders', 'billing')).rejects.toMatchObject({ code: 'MQ_INVALID_OPTION' });
    expect(await operations.list()).toEqual([]);
  });
});

describe('MqOperationsModule', () => {
  it('provides operations on the connection of MqModule, and leaves nothing running', async () => {
    await group.die(4);
    const app = await Test.createTestingModule({
      imports: [MqModule.forRoot({ connection, namespace }), MqOperationsModule.forRoot({})],
    }).compile();
    await app.init();
    const operations = app.get(Operations);
    expect(await (await operations.redrive(...on())).done).toMatchObject({ state: 'done', done: 4 });
    await app.close();
    await expect(operations.redrive(...on())).rejects.toMatchObject({ code: 'MQ_CLOSED' });
  });

  it('with run: false only starts and watches', async () => {
    await group.die(1);
    const app = await Test.createTestingModule({
      imports: [MqModule.forRoot({ connection, namespace }), MqOperationsModule.forRoot({ run: false })],
    }).compile();
    await app.init();
    const handle = await app.get(Operations).redrive(...on());
    expect(await handle.progress()).toMatchObject({ state: 'waiting' });
    open();
    expect(await handle.done).toMatchObject({ state: 'done', done: 1 });
    await app.close();
  });
});
