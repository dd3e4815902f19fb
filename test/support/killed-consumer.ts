// A consumer in a process of its own that kills itself, for consumer-killed.e2e.spec.ts:
//
//   node killed-consumer.js <kill point> <namespace>          REDIS_URL and DATABASE_URL in the environment
//
// It dies at the first delivery it receives ('before-handler'), or where the message with the id `killer` is at the kill
// point; with 'never' it lives until it is told to stop. Tables of the spec: `starts` has a row for every start of a
// handler, duplicates included; `effects` is written in the inbox transaction, and nothing there forbids a second row.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Broker, Middleware } from '@millrace/core';
import { MqCtx, MqListener, MqModule, type MqContext } from '@millrace/nestjs';
import { connectRedis } from '@millrace/redis';
import { getTransaction, TransactionalModule, UseInbox } from '@millrace/transactional';
import { pgDatabase } from '@millrace/transactional/pg';
import pg from 'pg';

const KILLER = 'killer';
const [killPoint = 'never', namespace] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const ports = connectRedis({ connection: process.env.REDIS_URL!, namespace });
/** The notes that handlers started, by message id. */
const notes = new Map<string, Promise<void>>();

/** SIGKILL, as soon as the broker has the note that the handler started: the consumer itself does not wait for it. */
async function dieAt(point: string, messageId: string): Promise<void> {
  if (point !== killPoint || messageId !== KILLER) return;
  await notes.get(messageId);
  process.kill(process.pid, 'SIGKILL');
}

/** What a consumer asks of the broker, with a process that may die before it is asked or before it hears the answer. */
function makeDeadly(broker: Broker): void {
  const [receive, markStarted, settle] = [
    broker.receive.bind(broker),
    broker.markStarted.bind(broker),
    broker.settle.bind(broker),
  ];
  broker.receive = async (...request) => {
    const deliveries = await receive(...request);
    // Any delivery: with the first read nothing has started yet, so nothing may count as crashed.
    if (deliveries.length > 0) await dieAt('before-handler', KILLER);
    return deliveries;
  };
  broker.markStarted = (deliveries) => {
    const note = markStarted(deliveries);
    for (const { message } of deliveries) notes.set(message.messageId, note);
    return note;
  };
  broker.settle = async (items) => {
    for (const { delivery } of items) await dieAt('before-ack', delivery.message.messageId);
    return settle(items);
  };
}

/** Outside of the inbox: what it does after `next` comes after the commit. */
const aroundInbox: Middleware = async ({ messageId, attempt, crashes }, next) => {
  await pool.query('insert into starts values ($1, $2, $3)', [messageId, attempt, crashes]);
  const outcome = await next();
  await dieAt('after-commit', messageId);
  return outcome;
};

@Injectable()
class Till {
  @MqListener({ topic: 'sales', group: 'till', concurrency: 4, lease: '1s' })
  @UseInbox()
  async ring(@MqCtx() context: MqContext): Promise<void> {
    const { messageId, attempt, crashes } = context;
    const tx = getTransaction<pg.ClientBase>(context);
    await tx.query('insert into effects values ($1, $2, $3)', [messageId, attempt, crashes]);
    await dieAt('inside-handler', messageId);
  }
}

@Module({
  imports: [
    MqModule.forRoot({ ports, middleware: [aroundInbox] }),
    TransactionalModule.forRoot({ database: pgDatabase(pool), relay: false, migrate: true }),
  ],
  providers: [Till],
})
class AppModule {}

makeDeadly(ports.broker);
const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
app.enableShutdownHooks(['SIGTERM']);
