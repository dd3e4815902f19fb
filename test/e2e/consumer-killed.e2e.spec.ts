// A process that gets SIGKILL can be a child only. The program is test/support/killed-consumer.ts, compiled.
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

const PROGRAM = fileURLToPath(new URL('../../dist/test/support/killed-consumer.js', import.meta.url));
const LEAVE_WITH_PARENT = new URL('../../dist/test/demo/leave-with-parent.js', import.meta.url).href;
const KILLER = 'killer';
const DIES_WITHIN_MS = 10_000;
/** More than one process has handlers and prefetch for (8), so that some messages wait while the process dies. */
const NEIGHBOURS = Array.from({ length: 12 }, (_, n) => `neighbour-${n}`);

/** One row of `starts` or `effects`. */
interface Row {
  message_id: string;
  attempt: number;
  crashes: number;
}

describe('a consumer killed', () => {
  let namespace: string;
  let schema: OwnSchema;
  let pool: pg.Pool;
  let mq: Mq;
  let children: ChildProcess[];

  beforeEach(async () => {
    const id = randomUUID().replaceAll('-', '');
    namespace = `killed-${id}`;
    schema = await createOwnSchema(process.env.DATABASE_URL!, `killed_${id}`);
    pool = new pg.Pool({ connectionString: schema.url });
    for (const table of ['starts', 'effects'])
      await pool.query(`create table ${table} (message_id text, attempt int, crashes int)`);
    mq = new Mq(connectRedis({ connection: process.env.REDIS_URL!, namespace }));
    children = [];
  });

  afterEach(async () => {
    await Promise.all(children.map((child) => end(child, 'SIGKILL')));
    await mq.close();
    await pool.end();
    await schema.drop();
  });

  it('before its handler loses nothing, makes no second effect, and counts no crash', async () => {
    await sendAll();
    await killedAt('before-handler');
    expect(await rows('starts')).toEqual([]);
    await takenOver();

    await expectEachDoneOnce();
    expect((await rows('starts')).filter(({ crashes }) => crashes > 0)).toEqual([]);
  });

  it('inside its handler loses nothing and makes no second effect', async () => {
    await sendAll();
    await killedAt('inside-handler');
    expect(await rows('effects', KILLER)).toEqual([]);
    await takenOver();

    await expectEachDoneOnce();
    expect(await rows('effects', KILLER)).toEqual([{ message_id: KILLER, attempt: 1, crashes: 1 }]);
  });

  it.each([['after-commit'], ['before-ack']])(
    'after its commit and before its ack (%s) loses nothing and makes no second effect',
    async (killPoint) => {
      await sendAll();
      await killedAt(killPoint);
      expect(await rows('effects', KILLER)).toHaveLength(1);
      await takenOver();

      await expectEachDoneOnce();
      expect(await rows('effects', KILLER)).toEqual([{ message_id: KILLER, attempt: 1, crashes: 0 }]);
      // The second process had the message too, and left it to the inbox.
      expect((await rows('starts', KILLER)).at(-1)).toEqual({ message_id: KILLER, attempt: 1, crashes: 1 });
    },
  );

  it('by one message again and again buries that message after three crashes, and loses none of its neighbours', async () => {
    await sendAll();
    for (let deaths = 0; deaths < 3; deaths++) await killedAt('inside-handler');
    // Still deadly: would the message run a fourth time, this process would be gone.
    const survivor = start('inside-handler');
    await until('the deadly message is buried and the others are done', async () => {
      expect(survivor).toMatchObject({ exitCode: null, signalCode: null });
      const { done, dead, leased } = await till();
      return done === NEIGHBOURS.length && dead === 1 && leased === 0;
    });

    const [letter, ...others] = await mq.admin.deadLetters('sales', 'till', { offset: 0, limit: 10 });
    expect(letter).toMatchObject({
      messageId: KILLER,
      reason: 'crashes-exhausted',
      state: { attempt: 1, crashes: 3, failures: [] },
    });
    expect(others).toEqual([]);
    expect((await rows('starts', KILLER)).map(({ crashes }) => crashes)).toEqual([0, 1, 2]);
    expect((await rows('effects')).map(({ message_id: id }) => id)).toEqual(NEIGHBOURS.toSorted());
    expect(await till()).toMatchObject({ ready: 0, leased: 0, retrying: 0 });
    await end(survivor, 'SIGTERM');
  });

  /** The killer in the middle, everything before any process starts. */
  async function sendAll(): Promise<void> {
    const ids = [...NEIGHBOURS.slice(0, 6), KILLER, ...NEIGHBOURS.slice(6)];
    const results = await mq.producer.sendAll(
      ids.map((messageId) => ({ destination: 'sales', body: { messageId }, options: { messageId } })),
    );
    expect(results.map(({ ok }) => ok)).toEqual(ids.map(() => true));
  }

  function start(killPoint: string): ChildProcess {
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', '--import', LEAVE_WITH_PARENT, PROGRAM, killPoint, namespace],
      {
        env: { ...process.env, DATABASE_URL: schema.url },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      },
    );
    children.push(child);
    return child;
  }

  async function killedAt(killPoint: string): Promise<void> {
    const child = start(killPoint);
    expect(await once(child, 'exit', { signal: AbortSignal.timeout(DIES_WITHIN_MS) })).toEqual([null, 'SIGKILL']);
  }

  /** A second process does the rest. */
  async function takenOver(): Promise<void> {
    const successor = start('never');
    await until('every message ended', async () => {
      const { done, dead } = await till();
      return done + dead >= NEIGHBOURS.length + 1;
    });
    await end(successor, 'SIGTERM');
  }

  async function expectEachDoneOnce(): Promise<void> {
    expect(await till()).toMatchObject({
      ready: 0,
      leased: 0,
      retrying: 0,
      dead: 0,
      skipped: 0,
      expired: 0,
      done: NEIGHBOURS.length + 1,
    });
    const effects = await rows('effects');
    expect(effects.map(({ message_id: id }) => id)).toEqual([KILLER, ...NEIGHBOURS].toSorted());
    expect([...effects, ...(await rows('starts'))].filter(({ attempt }) => attempt !== 1)).toEqual([]);
  }

  async function till() {
    const { groups } = await mq.admin.stats('sales');
    // Before the first process has registered the group, there is none.
    return groups[0] ?? { ready: 0, leased: 0, retrying: 0, dead: 0, done: 0, skipped: 0 };
  }

  async function rows(table: 'starts' | 'effects', messageId?: string): Promise<Row[]> {
    const order = 'order by message_id collate "C", crashes';
    const found = await pool.query<Row>(`select * from ${table} where message_id = coalesce($1, message_id) ${order}`, [
      messageId,
    ]);
    return found.rows;
  }
});

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
