import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getMqToken, type Mq } from '@millrace/nestjs';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { AppModule } from '../../src/app.module.js';
import { Settings } from '../../src/settings.js';
import { createOwnSchema, type OwnSchema } from '../support/own-schema.js';
import { until } from '../support/until.js';

/** Long enough for every test to pay in time on a busy machine, short enough to wait for. */
const PAYMENT_WINDOW_MS = 2000;

describe('the flash sale', () => {
  let app: INestApplication;
  let sql: DataSource;

  let mq: Mq;
  let schema: OwnSchema;

  beforeAll(async () => {
    schema = await createOwnSchema(process.env.DATABASE_URL!, `shop_${randomUUID().replaceAll('-', '')}`);
    const settings = new Settings(
      'all',
      '127.0.0.1',
      0,
      process.env.REDIS_URL!,
      schema.url,
      `shop-${randomUUID()}`,
      PAYMENT_WINDOW_MS,
    );
    const module = await Test.createTestingModule({ imports: [AppModule.with(settings)] }).compile();
    app = module.createNestApplication({ logger: ['error'] });
    await app.listen(0, '127.0.0.1');
    sql = module.get(DataSource);
    mq = module.get(getMqToken());
  });

  afterAll(async () => {
    await app.close();
    await schema.drop();
  });

  it('queues a click, makes the order, takes the payment and ships', async () => {
    const sale = await openSale(1);
    const { ticketId } = await click(sale, 'buyer-1').expect(202).then(bodyOf);
    const { orderId } = await decided(ticketId);
    await http()
      .get(`/orders/${orderId}`)
      .expect(200)
      .expect(({ body }) => expect(body).toMatchObject({ status: 'pending', buyerId: 'buyer-1' }));

    await pay(orderId)
      .expect(200)
      .expect(({ body }) => expect(body).toMatchObject({ id: orderId, status: 'paid' }));

    await until(
      'the order is shipped',
      async () => (await rows('select 1 from shipments where order_id = $1', orderId)).length === 1,
    );
    await until(
      'the buyer is told',
      async () => (await rows('select 1 from notifications where order_id = $1', orderId)).length === 1,
    );
  });

  it('gives the same answer to a second payment and ships once', async () => {
    const { orderId } = await ordered(await openSale(1), 'buyer-2');
    const [first, second] = await Promise.all([pay(orderId).expect(200), pay(orderId).expect(200)]);
    expect(second.body).toEqual(first.body);
    // A later order of the same buyer is shipped behind everything that was sent for the earlier one.
    const later = await ordered(await openSale(1), 'buyer-2');
    await pay(later.orderId).expect(200);
    const parcels = await until('both are shipped', async () => {
      const shipped = await rows<{ order_id: string; seq: number }>(
        'select order_id, seq from shipments where buyer_id = $1 order by seq',
        'buyer-2',
      );
      return shipped.some(({ order_id }) => order_id === later.orderId) ? shipped : undefined;
    });
    expect(parcels).toEqual([
      { order_id: orderId, seq: 1 },
      { order_id: later.orderId, seq: 2 },
    ]);
  });

  it('cancels an order that is not paid in time, returns its item once, and sells it again', async () => {
    const sale = await openSale(1);
    const { orderId } = await ordered(sale, 'buyer-3');
    await until(
      'the order is cancelled',
      async () => (await http().get(`/orders/${orderId}`)).body.status === 'cancelled',
    );
    await pay(orderId)
      .expect(409)
      .expect(({ body }) => expect(body.reason).toBe('cancelled'));
    expect(await stockOf(sale)).toBe(1);
    // The doorman's board is a moment behind: the door opens again by itself.
    await until('the sale takes orders again', async () => (await click(sale, 'buyer-4')).status === 202);
    expect((await ordered(sale, 'buyer-4')).orderId).toEqual(expect.any(String));
    expect(await stockOf(sale)).toBe(0);
  });

  it('never cancels an order that was paid: its time-out is called off', async () => {
    const sale = await openSale(1);
    const { orderId } = await ordered(sale, 'buyer-5');
    await pay(orderId).expect(200);
    // The time-out of a later order is due after that of the paid one: when it has fired, the other one never will.
    const later = await ordered(await openSale(1), 'buyer-6');
    await until('the later time-out has fired', () => timeoutHasFired(later.orderId));
    expect(await timeoutHasFired(orderId)).toBe(false);
    await http()
      .get(`/orders/${orderId}`)
      .expect(({ body }) => expect(body.status).toBe('paid'));
    expect(await stockOf(sale)).toBe(0);
  });

  it.each([
    ['paid', 0],
    ['cancelled', 1],
  ])('does nothing when a time-out fires for an order that is %s already', async (status, stock) => {
    const sale = await openSale(1);
    const { orderId } = await ordered(sale, 'buyer-12');
    if (status === 'paid') await pay(orderId).expect(200);
    await until(`the order is ${status}`, async () => (await http().get(`/orders/${orderId}`)).body.status === status);
    // A message of its own, so that only the order's state can tell that there is nothing to do.
    const messageId = randomUUID();
    const handled = mq.events.next('done', (done) => done.messageId === messageId);
    await mq.producer.send('order-timeout', { orderId }, { messageId });
    await handled;
    await http()
      .get(`/orders/${orderId}`)
      .expect(({ body }) => expect(body.status).toBe(status));
    expect(await stockOf(sale)).toBe(stock);
  });

  it('never sells more than there is: who comes too late is told at the door or on the ticket', async () => {
    const sale = await openSale(2);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => click(sale, `crowd-${n}`)));
    const states = await Promise.all(
      answers.map(async ({ status, body }) => (status === 202 ? (await decided(body.ticketId)).state : body.reason)),
    );
    expect(states.filter((state) => state === 'ordered')).toHaveLength(2);
    expect(states.filter((state) => state === 'sold-out')).toHaveLength(8);
    let latecomers = 0;
    await until('the door is closed', async () => {
      const { status, body } = await click(sale, `latecomer-${latecomers++}`);
      return status === 409 && body.reason === 'sold-out';
    });
  });

  it('marks the ticket sold-out when the stock is gone by the time the request is handled', async () => {
    const sale = await openSale(0);
    const { messageId } = await mq.producer.send('order-requests', { saleId: sale, buyerId: 'buyer-10' });
    expect(await decided(messageId)).toEqual({ ticketId: messageId, state: 'sold-out' });
    expect(await stockOf(sale)).toBe(0);
  });

  it('answers already-ordered on the ticket when a second request of the same buyer gets through', async () => {
    const sale = await openSale(2);
    const { orderId } = await ordered(sale, 'buyer-11');
    const { messageId } = await mq.producer.send('order-requests', { saleId: sale, buyerId: 'buyer-11' });
    expect(await decided(messageId)).toEqual({ ticketId: messageId, state: 'already-ordered', orderId });
    expect(await stockOf(sale)).toBe(1);
  });

  it('buries a malformed order request at once', async () => {
    const buried = mq.events.next('dead-letter', ({ group }) => group === 'ordering');
    const { messageId } = await mq.producer.send('order-requests', { saleId: 'lamp' });
    expect(await buried).toMatchObject({ messageId, attempt: 1, reason: 'invalid' });
  });

  it('makes one order of many clicks, and says already-ordered once it is made', async () => {
    const sale = await openSale(5);
    const clicks = await Promise.all(Array.from({ length: 8 }, () => click(sale, 'buyer-7')));
    const queued = clicks.filter(({ status }) => status === 202).map(({ body }) => body.ticketId as string);
    expect(new Set(queued).size).toBe(1);
    const { orderId } = await decided(queued[0]!);
    await click(sale, 'buyer-7')
      .expect(409)
      .expect(({ body }) => expect(body).toMatchObject({ reason: 'already-ordered', orderId }));
    expect(await rows('select id from orders where sale_id = $1', sale)).toEqual([{ id: orderId }]);
    expect(await stockOf(sale)).toBe(4);
  });

  it('refuses before the start and after the end, each with its own reason', async () => {
    const hour = 3_600_000;
    const tomorrow = await openSale(1, { startsAt: new Date(Date.now() + hour) });
    const yesterday = await openSale(1, {
      startsAt: new Date(Date.now() - 2 * hour),
      endsAt: new Date(Date.now() - hour),
    });
    await click(tomorrow, 'buyer-8')
      .expect(409)
      .expect(({ body }) => expect(body.reason).toBe('not-started'));
    await click(yesterday, 'buyer-8')
      .expect(409)
      .expect(({ body }) => expect(body.reason).toBe('closed'));
  });

  it.each([[{}], [{ buyerId: 7 }], [{ buyerId: '' }], [{ buyerId: 'a b' }], [{ buyerId: 'x'.repeat(65) }]])(
    'answers 400 to %j',
    async (body) => {
      const sale = await openSale(1);
      await http().post(`/sales/${sale}/orders`).send(body).expect(400);
      expect(await stockOf(sale)).toBe(1);
    },
  );

  it('answers 404 for a sale, and an order, that do not exist', async () => {
    const answers = [
      await click('no-such-sale', 'buyer-9'),
      await http().get(`/orders/${randomUUID()}`),
      await pay(randomUUID()),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  });

  it('retries a busy mailbox, and buries the message of one that bounces after four attempts', async () => {
    const busy = await ordered(await openSale(1), 'buyer-17');
    const bouncing = await ordered(await openSale(1), 'buyer-38');
    const buried = mq.events.next('dead-letter', ({ group }) => group === 'notifications');
    await Promise.all([pay(busy.orderId).expect(200), pay(bouncing.orderId).expect(200)]);

    const { messageId, attempt, reason } = await buried;
    expect({ attempt, reason }).toEqual({ attempt: 4, reason: 'attempts-exhausted' });
    const [letter] = await mq.admin.deadLetters('orders', 'notifications', { offset: 0, limit: 10 });
    expect(letter).toMatchObject({ messageId, message: { orderingKey: 'buyer-38' } });
    const sent = await until('the busy mailbox answers', async () => {
      const found = await rows('select attempt from notifications where order_id = $1', busy.orderId);
      return found.length > 0 ? found : undefined;
    });
    expect(sent).toEqual([{ attempt: 3 }]);
  });

  it('notifies after the address was corrected and the dead letter redriven', async () => {
    const { orderId } = await ordered(await openSale(1), 'buyer-63');
    const buried = mq.events.next('dead-letter', ({ group }) => group === 'notifications');
    await pay(orderId).expect(200);
    const { messageId } = await buried;
    await http().put('/buyers/buyer-63/address').send({ address: 'no address' }).expect(400);
    await http().put('/buyers/buyer-63/address').send({ address: 'b63@corrected.example' }).expect(200);

    expect(await mq.admin.redrive('orders', 'notifications', { messageIds: [messageId] })).toEqual([messageId]);

    const sent = await until('the buyer is told', async () => {
      const found = await rows('select address, attempt, generation from notifications where order_id = $1', orderId);
      return found.length > 0 ? found : undefined;
    });
    expect(sent).toEqual([{ address: 'b63@corrected.example', attempt: 1, generation: 1 }]);
  });

  const http = () => request(app.getHttpServer());
  const click = (sale: string, buyerId: string) => http().post(`/sales/${sale}/orders`).send({ buyerId });
  const pay = (orderId: string) => http().post(`/orders/${orderId}/pay`);
  const rows = <R>(text: string, ...values: unknown[]): Promise<R[]> => sql.query(text, values);

  async function openSale(stock: number, period: { startsAt?: Date; endsAt?: Date } = {}): Promise<string> {
    const id = `sale-${randomUUID()}`;
    await http()
      .post('/sales')
      .send({ id, stock, ...period })
      .expect(201);
    return id;
  }

  /** Whether the message was handled, by the inbox. */
  async function timeoutHasFired(orderId: string): Promise<boolean> {
    const sqlText = `select 1 from mq_inbox where consumer_group = 'payment-timeout' and message_key like $1`;
    return (await rows(sqlText, `%timeout:${orderId}`)).length > 0;
  }

  async function stockOf(sale: string): Promise<number> {
    return (await http().get(`/sales/${sale}`).expect(200)).body.stock as number;
  }

  async function decided(ticketId: string): Promise<{ ticketId: string; state: string; orderId: string }> {
    return until(`ticket ${ticketId} is decided`, async () => {
      const { body } = await http().get(`/tickets/${ticketId}`).expect(200);
      return body.state === 'queued' ? undefined : (body as { ticketId: string; state: string; orderId: string });
    });
  }

  async function ordered(sale: string, buyerId: string): Promise<{ orderId: string }> {
    const { body } = await click(sale, buyerId);
    return decided(body.ticketId as string);
  }
});

function bodyOf({ body }: { body: unknown }): { ticketId: string } {
  return body as { ticketId: string };
}
