import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MqCtx, MqListener, MqModule, MqPayload, type MqContext } from '@millrace/nestjs';
import pg from 'pg';
import { randomBytes } from 'node:crypto';
import { until } from '../../test/until.js';
import { getTransaction } from '../inbox/inbox-transaction.js';
import { UseInbox } from '../inbox/use-inbox.js';
import { Outbox } from '../outbox/outbox.js';
import { OutboxAdmin } from '../outbox/outbox-admin.js';
import { pgDatabase } from '../pg.js';
import { TransactionalModule } from './transactional.module.js';
import type { TransactionalOptions } from './transactional-options.js';

let prefix = '';

@Injectable()
class OrderListener {
  failures = 0;

  @MqListener({ topic: 'orders', group: 'billing', backoff: { type: 'fixed', delay: 10 } })
  @UseInbox()
  async bill(@MqPayload() body: { n: number }, @MqCtx() context: MqContext): Promise<void> {
    const tx = getTransaction<pg.ClientBase>(context);
    await tx.query(`insert into ${prefix}bills values ($1)`, [body.n]);
    if (this.failures-- > 0) throw new Error('the printer is out of paper');
    await this.outbox.send('bills', { n: body.n });
  }

  constructor(private readonly outbox: Outbox) {}
}

@Injectable()
class BillListener {
  readonly seen: number[] = [];

  @MqListener({ topic: 'bills', group: 'archive' })
  archive(body: { n: number }): void {
    this.seen.push(body.n);
  }
}

@Module({ providers: [OrderListener, BillListener] })
class ShopModule {}

describe('TransactionalModule', () => {
  let pool: pg.Pool;
  let app: INestApplicationContext | undefined;

  beforeEach(async () => {
    prefix = `n${randomBytes(6).toString('hex')}_`;
    pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
    await pool.query(`create table ${prefix}bills (n int)`);
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    for (const table of ['bills', 'outbox', 'outbox_cancel', 'inbox', 'schema'])
      await pool.query(`drop table if exists ${prefix}${table}`);
    await pool.end();
  });

  const boot = async (options: Partial<TransactionalOptions> = {}, levels?: string[]) => {
    @Module({
      imports: [
        MqModule.forRoot({ connection: process.env.REDIS_URL, namespace: prefix, delayLevels: levels }),
        TransactionalModule.forRootAsync({
          useFactory: () => ({ database: pgDatabase(pool), tablePrefix: prefix, migrate: true, ...options }),
        }),
        ShopModule,
      ],
    })
    class AppModule {}
    app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    return {
      app,
      outbox: app.get(Outbox),
      admin: app.get(OutboxAdmin),
      bills: app.get(BillListener),
      orders: app.get(OrderListener),
    };
  };
  const bills = async (): Promise<number[]> =>
    (await pool.query<{ n: number }>(`select n from ${prefix}bills`)).rows.map(({ n }) => n);

  it('a message sent in a transaction is handled once, in a transaction, and what its handler sends leaves too', async () => {
    const shop = await boot();
    await shop.outbox.withTransaction(async (tx: pg.ClientBase) => {
      await tx.query('select 1');
      await shop.outbox.send('orders', { n: 7 });
    });
    await until('billed and archived', async () => {
      await bills();
      return shop.bills.seen.length > 0;
    });
    expect(await bills()).toEqual([7]);
    expect(shop.bills.seen).toEqual([7]);
    expect((await pool.query(`select consumer_group from ${prefix}inbox`)).rows).toEqual([
      { consumer_group: 'billing' },
    ]);
  });

  it('a handler that fails twice leaves one effect', async () => {
    const shop = await boot();
    shop.orders.failures = 2;
    await shop.outbox.withTransaction(() => shop.outbox.send('orders', { n: 8 }));
    await until('archived', async () => {
      await bills();
      return shop.bills.seen.length > 0;
    });
    expect(await bills()).toEqual([8]);
    expect(shop.bills.seen).toEqual([8]);
  });

  it('a scheduled message that has left is cancelled at the broker', async () => {
    const shop = await boot();
    const idempotencyKey = 'order 9';
    await shop.outbox.withTransaction(() => shop.outbox.send('orders', { n: 9 }, { delay: '1h', idempotencyKey }));
    await until('relayed', async () => (await shop.admin.status()).pending === 0);
    expect(await shop.outbox.withTransaction(() => shop.outbox.cancel('orders', { idempotencyKey }))).toBe('requested');
    await until('passed on', async () => (await shop.admin.status()).cancelling === 0);
    // The key is free again: a new message under it is not a duplicate of the cancelled one.
    await shop.outbox.withTransaction(() => shop.outbox.send('orders', { n: 10 }, { idempotencyKey }));
    await until('the new one is billed', async () => (await bills()).length > 0);
    expect(await bills()).toEqual([10]);
  });

  it("delay levels are the connection's", async () => {
    const shop = await boot({ relay: false }, ['7s']);
    await shop.outbox.withTransaction(() => shop.outbox.send('orders', { n: 1 }, { delayLevel: 1 }));
    expect((await pool.query(`select delay_ms::int from ${prefix}outbox`)).rows).toEqual([{ delay_ms: 7000 }]);
  });

  it('with relay: false rows are written and left to others', async () => {
    const shop = await boot({ relay: false });
    await shop.outbox.withTransaction(() => shop.outbox.send('orders', { n: 1 }));
    expect(await shop.admin.status()).toMatchObject({ pending: 1, relay: { running: false, listening: false } });
  });

  it('a missing table ends the start with the name of the migration', async () => {
    await expect(boot({ migrate: false })).rejects.toMatchObject({ code: 'MQ_MIGRATION_MISSING' });
  });

  it.each([
    ['an unknown option', { migrat: true }, /did you mean 'migrate'/],
    ['a database that is none', { database: {} as TransactionalOptions['database'] }, /transactional.database/],
    ['a prefix with a quote', { tablePrefix: `a'` }, /transactional.tablePrefix/],
    ['a bad relay option', { relay: { batchSize: 0 } }, /relay.batchSize/],
    ['a bad retention', { inboxRetention: 'long' }, /transactional.inboxRetention/],
  ])('%s ends the start', async (_, options, problem) => {
    await expect(boot(options as object)).rejects.toMatchObject({
      code: 'MQ_INVALID_OPTION',
      message: expect.stringMatching(problem),
    });
  });

  it('close stops the relay and leaves no connection of its own', async () => {
    const shop = await boot();
    await until('listening', async () => (await shop.admin.status()).relay.listening);
    await shop.app.close();
    app = undefined;
    expect((await shop.admin.status()).relay).toMatchObject({ running: false, listening: false });
    const left = `select 1 from pg_stat_activity where query = $1`;
    await until('gone', async () => (await pool.query(left, [`listen ${prefix}outbox`])).rows.length === 0);
  });
});
