import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MillraceTransactional1763683200000 } from '@millrace/transactional/typeorm';
import { Redis } from 'ioredis';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { CreateShop1763683200001 } from '../../src/database/create-shop.migration.js';
import { createOwnSchema, type OwnSchema } from '../support/own-schema.js';
import { type Evidence, gatherEvidence } from './evidence.js';
import { Ledger } from './ledger.js';
import { readRedisState } from './redis-state.js';
import { plantInDatabase } from './sabotage.js';
import { keepStockJournal } from './stock-journal.js';

const redis = new Redis(process.env.REDIS_URL!);

afterAll(() => redis.disconnect());

describe("the auditor's view of SQL", () => {
  let schema: OwnSchema;
  let sql: pg.Pool;
  const ledger = new Ledger();

  beforeAll(async () => {
    schema = await createOwnSchema(process.env.DATABASE_URL!, `evidence_${randomUUID().replaceAll('-', '')}`);
    sql = new pg.Pool({ connectionString: schema.url });
    const migrations = [MillraceTransactional1763683200000, CreateShop1763683200001];
    const database = await new DataSource({ type: 'postgres', url: schema.url, migrations }).initialize();
    await database.runMigrations();
    await database.destroy();
    await keepStockJournal(sql);
  });

  afterEach(() =>
    sql.query('truncate sales, orders, tickets, shipments, notifications, demo_stock_journal, mq_outbox'),
  );

  afterAll(async () => {
    await sql.end();
    await schema.drop();
  });

  it('counts the orders that lived at the same time, not those that followed each other', async () => {
    await sale('lamp', 3);
    await order('lamp', 'a', 'cancelled', { created: 0, cancelled: 10 });
    await order('lamp', 'b', 'paid', { created: 5, paid: 6 });
    await order('lamp', 'c', 'paid', { created: 10, paid: 11 });
    const [lamp] = (await evidence()).sales;
    expect(lamp).toMatchObject({ saleId: 'lamp', initial: 3, orders: 3, cancelled: 1, mostLiveAtOnce: 2 });
  });

  it('knows from the journal how often an item left and came back', async () => {
    await sale('lamp', 3);
    await sql.query(`update sales set stock = stock - 1`);
    await sql.query(`update sales set stock = stock - 1`);
    await sql.query(`update sales set stock = stock + 1`);
    const [lamp] = (await evidence()).sales;
    expect(lamp).toMatchObject({ stock: 2, taken: 2, returned: 1 });
  });

  it('finds cancellations that are wrong, orders that are pending, tickets that are undecided', async () => {
    await sale('lamp', 9);
    await order('lamp', 'a', 'cancelled', { created: 0, paid: 1, cancelled: 2000 });
    await order('lamp', 'b', 'cancelled', { created: 0, cancelled: 999 });
    await order('lamp', 'c', 'cancelled', { created: 0, cancelled: 1000 });
    await order('lamp', 'd', 'pending', { created: 0 });
    const decided = randomUUID();
    const undecided = randomUUID();
    await sql.query(`insert into tickets (id, sale_id, buyer_id, state) values ($1, 'lamp', 'x', 'sold-out')`, [
      decided,
    ]);
    const told = new Ledger();
    told.ticket('lamp', 'x', decided);
    told.ticket('lamp', 'y', undecided);
    const found = await evidence(told);
    expect(found.cancelledWrongly).toEqual({ paid: 1, early: 1 });
    expect(found.orders).toEqual({ total: 4, pending: 1, paid: 0, cancelled: 3 });
    expect(found.tickets).toEqual({ accepted: 2, undecided: [undecided] });
  });

  it('finds confirmed payments without a paid order', async () => {
    await sale('lamp', 9);
    const told = new Ledger();
    told.paid.add(await order('lamp', 'a', 'paid', { created: 0, paid: 1 }));
    told.paid.add(await order('lamp', 'b', 'cancelled', { created: 0, cancelled: 1000 }));
    told.paid.add(randomUUID());
    expect((await evidence(told)).payments).toEqual({ confirmed: 3, notPaid: 2 });
  });

  it('finds parcels that are missing, repeated, unpaid or out of order', async () => {
    await sale('lamp', 9);
    await sale('chair', 9);
    const [late, early] = [
      await order('lamp', 'a', 'paid', { created: 0, paid: 9 }),
      await order('chair', 'a', 'paid', { created: 0, paid: 1 }),
    ];
    await ship(late, 'a', 1);
    await ship(early, 'a', 2);
    const twice = await order('lamp', 'b', 'paid', { created: 0, paid: 1 });
    await ship(twice, 'b', 1);
    await ship(twice, 'b', 2);
    await ship(await order('lamp', 'c', 'cancelled', { created: 0, cancelled: 1000 }), 'c', 1);
    await order('lamp', 'd', 'paid', { created: 0, paid: 1 });
    expect((await evidence()).shipments).toEqual({ total: 5, missing: 1, repeated: 1, unpaid: 1, outOfOrder: 2 });
  });

  it('finds notifications that are missing, repeated or unpaid, and counts retries and redrives', async () => {
    await sale('lamp', 9);
    const [fine, twice] = [
      await order('lamp', 'a', 'paid', { created: 0, paid: 1 }),
      await order('lamp', 'b', 'paid', { created: 0, paid: 1 }),
    ];
    await notify(fine, { attempt: 3, generation: 0 });
    await notify(twice, { attempt: 1, generation: 1 });
    await notify(twice, { attempt: 1, generation: 0 });
    await notify(await order('lamp', 'c', 'pending', { created: 0 }), { attempt: 1, generation: 0 });
    await order('lamp', 'd', 'paid', { created: 0, paid: 1 });
    expect((await evidence()).notifications).toEqual({
      total: 4,
      missing: 1,
      repeated: 1,
      unpaid: 1,
      retries: 2,
      redriven: 1,
    });
  });

  it('counts what has not left the outbox', async () => {
    const insert = `insert into mq_outbox (id, aggregatetype, aggregateid, meta, payload, state) values ($1, 't', 'a', '{}', '', $2)`;
    for (const state of ['pending', 'parked', 'sent']) await sql.query(insert, [randomUUID(), state]);
    expect((await evidence()).outbox).toBe(2);
  });

  it.each([
    ['oversell', `update sales set stock = stock - 1`, 18],
    [
      'double-return',
      `update orders set status = 'cancelled' where id = (select id from orders where status = 'pending' limit 1)`,
      7,
    ],
  ] as const)('sabotage %s changes the stock behind the back of the shop', async (sabotage, statement, change) => {
    await sale('lamp', 100);
    for (let n = 0; n < 20; n++) await order('lamp', `b${n}`, 'pending', { created: 0 });
    await plantInDatabase(sabotage, sql);
    for (let n = 0; n < 20; n++) await sql.query(statement);
    const [lamp] = (await evidence()).sales;
    expect(lamp!.taken + lamp!.returned).toBe(change);
    await sql.query(
      `drop sequence demo_sabotage; drop trigger if exists demo_oversell on sales; drop trigger if exists demo_double_return on orders`,
    );
  });

  const evidence = (told = ledger): Promise<Evidence> =>
    gatherEvidence({ sql, redis, namespace: 'no-such', ledger: told, timeoutMs: 1000, waiting: new Map() });

  async function sale(id: string, stock: number): Promise<void> {
    await sql.query(`insert into sales values ($1, $2, $2, now(), now())`, [id, stock]);
  }

  /** Instants in ms after an arbitrary one. */
  async function order(
    saleId: string,
    buyerId: string,
    status: string,
    at: { created: number; paid?: number; cancelled?: number },
  ): Promise<string> {
    const id = randomUUID();
    const instants = [at.created, at.paid, at.cancelled].map((ms) =>
      ms === undefined ? null : new Date(1_700_000_000_000 + ms),
    );
    await sql.query(
      `insert into orders (id, sale_id, buyer_id, status, created_at, paid_at, cancelled_at) values ($1, $2, $3, $4, $5, $6, $7)`,
      [id, saleId, buyerId, status, ...instants],
    );
    return id;
  }

  async function ship(orderId: string, buyerId: string, seq: number): Promise<void> {
    await sql.query(`insert into shipments (order_id, buyer_id, seq) values ($1, $2, $3)`, [orderId, buyerId, seq]);
  }

  async function notify(
    orderId: string,
    { attempt, generation }: { attempt: number; generation: number },
  ): Promise<void> {
    await sql.query(`insert into notifications (order_id, address, attempt, generation) values ($1, 'x', $2, $3)`, [
      orderId,
      attempt,
      generation,
    ]);
  }
});

describe("the auditor's view of Redis", () => {
  const namespace = `evidence-${randomUUID()}`;
  const key = (topic: string, rest: string): string => `{${namespace}:${topic}:0}:${rest}`;

  afterAll(async () => {
    const keys = await redis.keys(`{${namespace}:*`);
    await redis.del(...keys);
  });

  it('counts what is ready, leased, retrying, dead and scheduled, over all queues of a group', async () => {
    for (const queue of ['q:0', 'q:1']) {
      await redis.xgroup('CREATE', key('orders', queue), 'shipping', '0', 'MKSTREAM');
      for (let n = 0; n < 5; n++) await redis.xadd(key('orders', queue), '*', 'f', 'v');
      await redis.xreadgroup('GROUP', 'shipping', 'c', 'COUNT', 2, 'STREAMS', key('orders', queue), '>');
    }
    await redis.xgroup('CREATE', key('orders', 'g:shipping:rs:0'), 'shipping', '0', 'MKSTREAM');
    await redis.xadd(key('orders', 'g:shipping:rs:0'), '*', 'f', 'v');
    await redis.zadd(key('orders', 'g:shipping:rz'), 1, 'm1', 2, 'm2');
    await redis.zadd(key('orders', 'g:shipping:dlz'), 1, 'm3');
    await redis.zadd(key('orders', 'dz:3'), 1, 'm4');
    await redis.hset(key('orders', 'id:7'), 'k:x', 'not a queue');
    await redis.hset(key('orders', 'tok:client.0'), '0', 'not a queue');
    expect(await readRedisState(redis, namespace)).toEqual({
      groups: [{ topic: 'orders', group: 'shipping', ready: 7, leased: 4, retrying: 2, dead: 1 }],
      scheduled: 1,
    });
  });

  it('counts unread messages also where entries were removed and Redis has lost count', async () => {
    const queue = key('gaps', 'q:0');
    await redis.xgroup('CREATE', queue, 'g', '0', 'MKSTREAM');
    const ids = [];
    for (let n = 0; n < 5; n++) ids.push(await redis.xadd(queue, '*', 'f', 'v'));
    await redis.xdel(queue, ids[2]!);
    await redis.xreadgroup('GROUP', 'g', 'c', 'COUNT', 1, 'STREAMS', queue, '>');
    const { groups } = await readRedisState(redis, namespace);
    expect(groups.find(({ topic }) => topic === 'gaps')).toMatchObject({ ready: 3, leased: 1 });
  });
});
