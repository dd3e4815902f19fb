// Rows of an outbox in PostgreSQL on their way to the broker, as an application has it: Nest modules around everything.
import 'reflect-metadata';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getMqAdminToken, MqModule, type MqAdmin } from '@millrace/nestjs';
import { startPostgres } from '@millrace/testing/servers';
import { Outbox, TransactionalModule } from '@millrace/transactional';
import { pgDatabase } from '@millrace/transactional/pg';
import pg from 'pg';
import {
  atRate,
  BODY,
  concurrently,
  expectCount,
  finished,
  percentile,
  rate,
  type Bench,
  type Contender,
} from '../scenario.js';
import { open as openMq, TOPIC } from './millrace.js';

type Database = ReturnType<typeof pgDatabase>;

const FILL = 1000;

/** One relay works off a backlog. @param keys ordering keys; 0 = none */
export async function relaying(bench: Bench, count: number, keys: number): Promise<Contender> {
  const { pool, close } = await openPool();
  return {
    name: 'millrace',
    async prepare() {
      const app = await open(bench, pgDatabase(pool), false);
      const outbox = app.get(Outbox, { strict: false });
      const list = (from: number) =>
        Array.from({ length: Math.min(FILL, count - from) }, (_, index) => ({
          destination: TOPIC,
          body: BODY,
          options: keys > 0 ? { orderingKey: `key ${(from + index) % keys}` } : undefined,
        }));
      await concurrently(Math.ceil(count / FILL), 4, (index) =>
        outbox.withTransaction(() => outbox.sendAll(list(index * FILL))),
      );
      await app.close();
    },
    async run() {
      const { database, span, caughtUp } = timed(pgDatabase(pool), count);
      const app = await open(bench, database, true);
      await caughtUp;
      const { accepted } = await app.get<MqAdmin>(getMqAdminToken()).stats(TOPIC);
      await app.close();
      const [left] = await pgDatabase(pool).query<{ rows: number }>('select count(*)::int as rows from mq_outbox');
      expectCount('messages stored', accepted, count);
      expectCount('rows left', left!.rows, 0);
      return rate(count, span.startedMs, span.endedMs);
    },
    close,
  };
}

/** Time from the end of a transaction's work, its commit included, to the start of the handler, in one process. */
export async function commitLatency(bench: Bench, count: number, perSecond: number, share: number): Promise<Contender> {
  const { pool, close } = await openPool();
  return {
    name: 'millrace',
    async run() {
      const app = await open(bench, pgDatabase(pool), true);
      const outbox = app.get(Outbox, { strict: false });
      const mq = openMq(bench);
      const committing = new Map<string, number>();
      const times: number[] = [];
      const { promise: all, finish } = finished();
      mq.listen({ topic: TOPIC, group: 'latency' }, async ({ messageId }) => {
        times.push(performance.now() - committing.get(messageId)!);
        if (times.length === count) finish();
      });
      await mq.start();
      await atRate(count, perSecond, () =>
        outbox.withTransaction(async () => {
          const { messageId } = await outbox.send(TOPIC, BODY);
          committing.set(messageId, performance.now());
        }),
      );
      await all;
      await Promise.all([app.close(), mq.close()]);
      expectCount('messages handled', times.length, count);
      return percentile(times, share);
    },
    close,
  };
}

async function openPool(): Promise<{ pool: pg.Pool; close: () => Promise<void> }> {
  const server = await startPostgres();
  const pool = new pg.Pool({ connectionString: server.url, max: 10 });
  pool.on('error', () => undefined); // a query that fails says so itself
  return {
    pool,
    async close() {
      await pool.end();
      await server.stop();
    },
  };
}

function open(bench: Bench, database: Database, relay: boolean): Promise<INestApplicationContext> {
  @Module({
    imports: [
      MqModule.forRoot({ connection: bench.redisUrl, namespace: 'bench' }),
      TransactionalModule.forRoot({ database, relay, migrate: true }),
    ],
  })
  class OutboxModule {}
  return NestFactory.createApplicationContext(OutboxModule, { logger: ['error'] });
}

/** From the relay's first transaction to the end of the one after which nothing is left: the start of Nest is not timed. */
function timed(database: Database, count: number) {
  const span = { startedMs: 0, endedMs: 0 };
  const { promise: caughtUp, finish } = finished();
  let left = count;
  const marking: Pick<Database, 'transaction' | 'executor'> = {
    async transaction(fn) {
      span.startedMs ||= performance.now();
      const result = await database.transaction(fn);
      span.endedMs = performance.now();
      if (left <= 0) finish();
      return result;
    },
    executor(tx) {
      const sql = database.executor(tx);
      return {
        async query<R>(text: string, values?: readonly unknown[]) {
          if (text.startsWith('delete from mq_outbox')) left -= (values![0] as unknown[]).length;
          return sql.query<R>(text, values);
        },
      };
    },
  };
  return { database: Object.assign(Object.create(database) as Database, marking), span, caughtUp };
}
