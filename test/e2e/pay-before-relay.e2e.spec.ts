// The relay may be behind: an order can be paid while its time-out is still a row of the outbox. The payment must reach
// it there, not only in the broker, where it is not yet.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { AppModule } from '../../src/app.module.js';
import { Settings } from '../../src/settings.js';
import { createOwnSchema, type OwnSchema } from '../support/own-schema.js';
import { until } from '../support/until.js';

const PAYMENT_WINDOW_MS = 1_000;

describe('an order that is paid before its time-out was relayed', () => {
  let app: INestApplication;
  let sql: DataSource;
  let schema: OwnSchema;

  beforeAll(async () => {
    const name = `shop_${randomUUID().replaceAll('-', '')}`;
    schema = await createOwnSchema(process.env.DATABASE_URL!, name);
    const { REDIS_URL } = process.env;
    const settings = new Settings('all', '127.0.0.1', 0, REDIS_URL!, schema.url, `shop-${name}`, PAYMENT_WINDOW_MS);
    const module = await Test.createTestingModule({ imports: [AppModule.with(settings)] }).compile();
    app = module.createNestApplication({ logger: false }); // a payment that fails is part of the test
    await app.listen(0, '127.0.0.1');
    sql = module.get(DataSource);
    // What a relay that is behind looks like from outside: rows of the topic are there and it does not take them yet.
    await sql.query(`
      create table behind (topic text primary key);
      create function hold_back() returns trigger language plpgsql as $$
        begin
          if new.aggregatetype in (select topic from behind) then new.available_at := 'infinity'; end if;
          return new;
        end $$;
      create trigger hold_back before insert on mq_outbox for each row execute function hold_back();`);
  });

  afterAll(async () => {
    await app.close();
    await schema.drop();
  });

  it('is never cancelled: its time-out is gone with the payment, and never fires', async () => {
    await sql.query(`insert into behind values ('order-timeout')`);
    const sale = await openSale();
    const orderId = await ordered(sale, 'early-bird');
    expect(await waiting(orderId)).toBe(1);

    await http().post(`/orders/${orderId}/pay`).expect(200);
    expect(await waiting(orderId)).toBe(0);

    // The relay catches up, and the time-out of an order made later, which nobody pays, is due after the paid one's.
    await relayCatchesUp();
    const unpaidSale = await openSale();
    const unpaid = await ordered(unpaidSale, 'window-shopper');
    await until('the later time-out has fired', async () => (await statusOf(unpaid)) === 'cancelled');
    expect(await hasFired(unpaid)).toBe(true);
    expect(await hasFired(orderId)).toBe(false);
    expect(await statusOf(orderId)).toBe('paid');
    expect([await stockOf(sale), await stockOf(unpaidSale)]).toEqual([0, 1]);
  });

  it('keeps its time-out when the payment fails: unpaid, it is cancelled when the relay has caught up', async () => {
    await sql.query(`insert into behind values ('order-timeout')`);
    const sale = await openSale();
    const orderId = await ordered(sale, 'no-money');
    // The last statement of the payment's transaction fails; its cancellation of the time-out must go with it.
    await sql.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
      create trigger refuse before insert on mq_outbox for each row when (new.aggregatetype = 'orders') execute function refuse()`);
    await http().post(`/orders/${orderId}/pay`).expect(500);
    await sql.query('drop trigger refuse on mq_outbox');
    expect(await waiting(orderId)).toBe(1);

    await relayCatchesUp();
    await until('the order is cancelled', async () => (await statusOf(orderId)) === 'cancelled');
    expect(await hasFired(orderId)).toBe(true);
    expect(await stockOf(sale)).toBe(1);
  });

  const http = () => request(app.getHttpServer());
  const rows = <R>(text: string, ...values: unknown[]): Promise<R[]> => sql.query(text, values);
  const statusOf = async (orderId: string): Promise<string> => (await http().get(`/orders/${orderId}`)).body.status;
  const stockOf = async (sale: string): Promise<number> => (await http().get(`/sales/${sale}`).expect(200)).body.stock;

  /** Time-outs of the order that are still in the outbox. */
  async function waiting(orderId: string): Promise<number> {
    return (await rows('select 1 from mq_outbox where idempotency_key = $1', `timeout:${orderId}`)).length;
  }

  /** Whether the message was handled, by the inbox. */
  async function hasFired(orderId: string): Promise<boolean> {
    const text = `select 1 from mq_inbox where consumer_group = 'payment-timeout' and message_key like $1`;
    return (await rows(text, `%timeout:${orderId}`)).length > 0;
  }

  async function relayCatchesUp(): Promise<void> {
    await sql.query('delete from behind');
    await sql.query('update mq_outbox set available_at = clock_timestamp()');
  }

  async function openSale(): Promise<string> {
    const id = `sale-${randomUUID()}`;
    await http().post('/sales').send({ id, stock: 1 }).expect(201);
    return id;
  }

  async function ordered(sale: string, buyerId: string): Promise<string> {
    const { body } = await http().post(`/sales/${sale}/orders`).send({ buyerId }).expect(202);
    return until('the order is made', async () => {
      const ticket = await http().get(`/tickets/${body.ticketId}`).expect(200);
      return ticket.body.orderId as string | undefined;
    });
  }
});
