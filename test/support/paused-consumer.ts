// A consumer in a process of its own that is stopped in the middle of a handler, for consumer-paused.e2e.spec.ts:
//
//   node paused-consumer.js <name> <inbox | fence> <before-inbox | inside | never> <namespace>
//
// REDIS_URL and DATABASE_URL in the environment. At the point it is told, it says `paused` to its parent and waits for a
// message from it: meanwhile the parent stops the whole process. It tells its parent what it sees. Tables of the spec:
// `effects`, where nothing forbids a second row, and `stock` with a fence, whose older writers are refused.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Middleware } from '@millrace/core';
import { getMqToken, MqCtx, MqListener, MqModule, type Mq, type MqContext } from '@millrace/nestjs';
import { connectRedis } from '@millrace/redis';
import { getTransaction, TransactionalModule, UseInbox } from '@millrace/transactional';
import { pgDatabase } from '@millrace/transactional/pg';
import pg from 'pg';

const [name, kind, pausePoint, namespace] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const ports = connectRedis({ connection: process.env.REDIS_URL!, namespace });
const told = new Promise<void>((resolve) => process.once('message', () => resolve()));
const tell = (is: string): void => void process.send!({ is });

async function pause(point: string): Promise<void> {
  if (point !== pausePoint) return;
  // A process that wakes up and acks before it has renewed anything: only the broker can refuse it then.
  ports.broker.renew = () => new Promise(() => undefined);
  tell('paused');
  await told;
}

const aroundInbox: Middleware = async (_, next) => {
  await pause('before-inbox');
  return next();
};

@Injectable()
class InboxTill {
  @MqListener({ topic: 'sales', group: 'till', lease: '1s' })
  @UseInbox()
  async ring(@MqCtx() context: MqContext): Promise<void> {
    await pause('inside');
    await getTransaction<pg.ClientBase>(context).query('insert into effects values ($1)', [name]);
  }
}

@Injectable()
class FencedTill {
  /** Goes on whatever its signal says, as code does that does not look at it. */
  @MqListener({ topic: 'sales', group: 'till', lease: '1s', idempotent: true })
  async ring(@MqCtx() { fence }: MqContext): Promise<string> {
    await pause('inside');
    const { rowCount } = await pool.query('update stock set fence = $1, writer = $2 where fence <= $1', [fence, name]);
    if (rowCount === 1) await pool.query('insert into effects values ($1)', [name]);
    tell(rowCount === 1 ? 'written' : 'refused by the fence');
    return `sold by ${name}`;
  }
}

@Module({
  imports: [
    MqModule.forRoot({ ports, middleware: [aroundInbox] }),
    TransactionalModule.forRoot({ database: pgDatabase(pool), relay: false, migrate: true }),
  ],
  providers: [kind === 'inbox' ? InboxTill : FencedTill],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
const { events } = app.get<Mq>(getMqToken());
for (const event of ['done', 'duplicate', 'released', 'lease-lost', 'claim-lost'] as const)
  events.on(event, () => tell(event));
app.enableShutdownHooks(['SIGTERM']);
tell('ready');
