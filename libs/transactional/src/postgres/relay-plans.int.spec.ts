// The relay's questions must stay cheap whatever the statistics of its table say: it fills and empties all the time.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SqlExecutor } from '../database/outbox-database.js';
import { tableNames } from '../database/table-names.js';
import { outboxMigration } from '../schema/migration.js';
import { PostgresRelayStore } from './postgres-relay-store.js';

const PREFIX = 'plans_';
const LIMIT = { rows: 500, bytes: 1e9 };

describe('the plans of the relay on PostgreSQL', () => {
  let client: pg.Client;
  const store = new PostgresRelayStore(tableNames(PREFIX));

  beforeAll(async () => {
    client = new pg.Client(process.env.DATABASE_URL);
    await client.connect();
    await client.query('create schema plans; set search_path to plans');
    await client.query(outboxMigration(PREFIX));
    // Whatever statistics there are, they are those of this spec.
    await client.query(`alter table ${PREFIX}outbox set (autovacuum_enabled = false)`);
  });

  afterAll(async () => {
    await client.query('drop schema plans cascade');
    await client.end();
  });

  /** 20,000 rows with ordering keys in all partitions, then a few without. */
  const fill = async (): Promise<void> => {
    const rows = `insert into ${PREFIX}outbox (id, aggregatetype, aggregateid, partition_no, meta, payload)`;
    await client.query(`${rows} select n, 'orders', n, n % 32, '{}', '' from generate_series(1, 20000) n`);
    await client.query(`${rows} select n, 'orders', n, null, '{}', '' from generate_series(1, 500) n`);
  };
  const empty = () => client.query(`delete from ${PREFIX}outbox`);
  const analyze = () => client.query(`analyze ${PREFIX}outbox`);

  /** Plans of the statements that look for rows; reading rows by their numbers is the primary key's business. */
  async function plans(): Promise<string[]> {
    const found: string[] = [];
    const sql: SqlExecutor = {
      async query<R>(text: string, values?: readonly unknown[]) {
        if (text.includes('limit')) {
          const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values && [...values]);
          found.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
        }
        return (await client.query(text, values && [...values])).rows as R[];
      },
    };
    await client.query('begin');
    await store.work(sql);
    await store.begin(sql);
    await store.lockFree(sql, LIMIT);
    await store.lockOrdered(sql, await store.leasePartitions(sql, 8), LIMIT);
    await client.query('rollback');
    return found;
  }

  it.each<[string, () => Promise<void>]>([
    ['never analysed', fill],
    [
      'analysed when it was full',
      async () => {
        await fill();
        await analyze();
      },
    ],
    [
      'analysed when it was empty, with the remains of former rows',
      async () => {
        await empty();
        await analyze();
        await fill();
      },
    ],
  ])('go by the index of pending rows on a table that was %s', async (_, prepare) => {
    await prepare();
    const found = await plans();
    expect(found).toHaveLength(4);
    for (const plan of found) {
      expect(plan).toContain(`${PREFIX}outbox_pending`);
      expect(plan).not.toMatch(/outbox_pkey|Seq Scan on plans_outbox o/);
    }
    // Outside a transaction nothing can be asked of the planner: the first look may sort what the index gave it.
    for (const plan of found.slice(1)) expect(plan).toContain(`Index Scan using ${PREFIX}outbox_pending`);
    for (const plan of found.slice(1)) expect(plan).not.toMatch(/Sort Key: (o|o_1)\.|Bitmap/);
  });
});
