import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MqCtx, MqListener, MqModule, MqPayload, type MqContext } from '@millrace/nestjs';
import { createPool, type Connection, type Pool } from 'mysql2/promise';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { MARIADB, POSTGRES } from '../../test/adapters/test-server.js';
import { until } from '../../test/until.js';
import { getTransaction } from '../inbox/inbox-transaction.js';
import { UseInbox } from '../inbox/use-inbox.js';
import { mysql2Database } from '../mysql2.js';
import { Outbox } from '../outbox/outbox.js';
import { pgDatabase } from '../pg.js';
import { getOutboxAdminToken, getOutboxToken, InjectOutbox } from './outbox-tokens.js';
import { TransactionalModule } from './transactional.module.js';

const prefix = `s${randomBytes(6).toString('hex')}_`;

@Injectable()
class StockListener {
  @MqListener({ topic: 'orders', group: 'stock' })
  @UseInbox('stock')
  async reserve(@MqPayload() body: { n: number }, @MqCtx() context: MqContext): Promise<void> {
    await getTransaction<Connection>(context).query(`insert into ${prefix}reserved values (?)`, [body.n]);
    await this.outbox.send('reserved', { n: body.n });
  }

  constructor(@InjectOutbox('stock') private readonly outbox: Outbox) {}
}

@Injectable()
class ShopListener {
  readonly reserved: number[] = [];

  @MqListener({ topic: 'reserved', group: 'shop' })
  @UseInbox()
  confirm(body: { n: number }): void {
    this.reserved.push(body.n);
  }
}

@Module({ providers: [StockListener, ShopListener] })
class ListenerModule {}

describe('several databases in one application', () => {
  let orders: pg.Pool;
  let stock: Pool;

  beforeAll(async () => {
    orders = new pg.Pool({ connectionString: POSTGRES.url() });
    stock = createPool(MARIADB.url());
    await stock.query(`create table ${prefix}reserved (n int)`);
  });
  afterAll(async () => {
    const names = ['outbox', 'outbox_cancel', 'inbox', 'schema'].map((table) => prefix + table);
    await orders.query(`drop table if exists ${names.join(', ')}`);
    await stock.query(`drop table if exists ${[...names, `${prefix}outbox_lock`, `${prefix}reserved`].join(', ')}`);
    await Promise.all([orders.end(), stock.end()]);
  });

  it('each has its outbox and inbox: from PostgreSQL to MariaDB and back', async () => {
    const options = { tablePrefix: prefix, migrate: true };
    @Module({
      imports: [
        MqModule.forRoot({ connection: process.env.REDIS_URL, namespace: prefix }),
        TransactionalModule.forRoot({ ...options, database: pgDatabase(orders) }),
        TransactionalModule.forRoot({ ...options, database: mysql2Database(stock), name: 'stock' }),
        ListenerModule,
      ],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    try {
      const outbox = app.get(Outbox);
      expect(app.get<Outbox>(getOutboxToken('stock'))).not.toBe(outbox);
      await outbox.withTransaction(() => outbox.send('orders', { n: 7 }));
      const shop = app.get(ShopListener);
      await until(
        'there and back',
        async () => {
          await orders.query('select 1');
          return shop.reserved.length > 0;
        },
        15_000,
      );
      expect(shop.reserved).toEqual([7]);
      expect((await stock.query(`select n from ${prefix}reserved`))[0]).toEqual([{ n: 7 }]);
      const inboxes = `select cast(consumer_group as char(10)) as owner from ${prefix}inbox`;
      expect((await stock.query(inboxes))[0]).toEqual([{ owner: 'stock' }]);
      await until('recorded', async () => (await orders.query(`select 1 from ${prefix}inbox`)).rows.length === 1);
      expect(await app.get<{ status(): Promise<unknown> }>(getOutboxAdminToken('stock')).status()).toMatchObject({
        relay: { running: true, listening: false },
      });
    } finally {
      await app.close();
    }
  });
});
