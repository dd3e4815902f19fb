import { sql } from 'drizzle-orm';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { createPool } from 'mysql2/promise';
import pg from 'pg';
import { drizzleDatabase, type DrizzleDatabase, type DrizzleExecutor } from '../../src/drizzle.js';
import { POOL, type Adapter, type OpenDatabase } from './adapter.js';
import { MARIADB, POSTGRES } from './test-server.js';

export const DRIZZLE_POSTGRES: Adapter = {
  name: 'Drizzle',
  server: POSTGRES,
  async open(options) {
    const pool = new pg.Pool({ connectionString: POSTGRES.url(), max: POOL, options });
    pool.on('error', () => {});
    return opened(drizzlePg(pool), () => pool.end());
  },
};

export const DRIZZLE_MARIADB: Adapter = {
  name: 'Drizzle on MariaDB',
  server: MARIADB,
  async open() {
    const pool = createPool({ uri: MARIADB.url(), connectionLimit: POOL });
    return opened(drizzleMysql(pool), () => pool.end());
  },
};

function opened<Tx extends DrizzleExecutor>(db: DrizzleDatabase<Tx>, close: () => Promise<void>): OpenDatabase {
  const open: OpenDatabase<Tx> = {
    database: drizzleDatabase(db),
    ownTransaction: (fn) => db.transaction(fn),
    noTransactions: [db as unknown as Tx],
    run: async (tx, text, values = []) => {
      const parts = text
        .split(/\$\d+|\?/)
        .map((part, at) => (at === 0 ? sql.raw(part) : sql`${values[at - 1]}${sql.raw(part)}`));
      await tx.execute(sql.join(parts));
    },
    close,
  };
  return open;
}
