// An application that is started while Redis is away takes orders: its messages wait in the table.
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getMqToken, MqHealth, MqListener, MqModule, type Mq } from '@millrace/nestjs';
import { startRedis, type RedisServer } from '@millrace/testing/servers';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { POSTGRES } from '../../test/adapters/test-server.js';
import { Outbox } from '../outbox/outbox.js';
import { OutboxAdmin } from '../outbox/outbox-admin.js';
import { pgDatabase } from '../pg.js';
import { TransactionalModule } from './transactional.module.js';

const prefix = `a${randomBytes(6).toString('hex')}_`;

@Injectable()
class Billing {
  readonly seen: unknown[] = [];

  @MqListener({ topic: 'orders', group: 'billing' })
  bill(body: unknown): void {
    this.seen.push(body);
  }
}

describe('an application that starts while Redis is away', () => {
  let redis: RedisServer;
  let pool: pg.Pool;
  let app: INestApplicationContext;

  beforeAll(async () => {
    redis = await startRedis();
    pool = new pg.Pool({ connectionString: POSTGRES.url() });
  });
  afterAll(async () => {
    await app.close();
    const names = ['outbox', 'outbox_cancel', 'inbox', 'schema'].map((table) => prefix + table);
    await pool.query(`drop table if exists ${names.join(', ')}`);
    await pool.end();
    await redis.stop();
  });

  it('stores messages, which leave when Redis is there', async () => {
    await redis.kill();
    @Module({
      imports: [
        MqModule.forRoot({ connection: redis.url, topics: [{ topic: 'orders' }], startup: { timeout: '100ms' } }),
        TransactionalModule.forRoot({ database: pgDatabase(pool), tablePrefix: prefix, migrate: true }),
      ],
      providers: [Billing],
    })
    class AppModule {}
    app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    const outbox = app.get(Outbox);
    const began = performance.now();
    for (let n = 0; n < 20; n++) await outbox.withTransaction(() => outbox.send('orders', n));
    // A call to Redis would wait for 30 s.
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await app.get(OutboxAdmin).status()).toMatchObject({ pending: 20 });
    expect(app.get(MqHealth).check()).toMatchObject({ status: 'down', starting: true, consuming: false });
    const { events } = app.get<Mq>(getMqToken());
    const handled = new Promise<void>((resolve) => {
      events.on('done', () => void (app.get(Billing).seen.length === 20 && resolve()));
    });
    await redis.restart();
    await handled;
    expect(new Set(app.get(Billing).seen)).toEqual(new Set(Array.from({ length: 20 }, (_, n) => n)));
    expect(app.get(MqHealth).check()).toMatchObject({ consuming: true });
  }, 60_000);
});
