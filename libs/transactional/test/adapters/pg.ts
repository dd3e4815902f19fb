import pg from 'pg';
import { pgDatabase } from '../../src/pg.js';
import { POOL, type Adapter, type OpenDatabase } from './adapter.js';
import { POSTGRES } from './test-server.js';

export const PG: Adapter = {
  name: 'pg',
  server: POSTGRES,
  async open(options) {
    const pool = new pg.Pool({ connectionString: POSTGRES.url(), max: POOL, options });
    pool.on('error', () => {});
    const outside = await pool.connect();
    const open: OpenDatabase<pg.ClientBase> = {
      database: pgDatabase(pool),
      async ownTransaction(fn) {
        const client = await pool.connect();
        try {
          await client.query('begin');
          const result = await fn(client);
          await client.query('commit');
          return result;
        } catch (error) {
          await client.query('rollback');
          throw error;
        } finally {
          client.release();
        }
      },
      noTransactions: [outside, pool as unknown as pg.ClientBase],
      run: (client, text, values) => client.query(text, values),
      async close() {
        outside.release();
        await pool.end();
      },
    };
    await outside.query('select 1');
    return open;
  },
};
