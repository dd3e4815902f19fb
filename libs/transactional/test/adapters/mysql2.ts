import { createPool, type Connection } from 'mysql2/promise';
import { mysql2Database } from '../../src/mysql2.js';
import { POOL, type Adapter, type OpenDatabase } from './adapter.js';
import { MARIADB } from './test-server.js';

export const MYSQL2: Adapter = {
  name: 'mysql2',
  server: MARIADB,
  async open() {
    const pool = createPool({ uri: MARIADB.url(), connectionLimit: POOL });
    const outside = await pool.getConnection();
    const open: OpenDatabase<Connection> = {
      database: mysql2Database(pool),
      async ownTransaction(fn) {
        const connection = await pool.getConnection();
        try {
          await connection.beginTransaction();
          const result = await fn(connection);
          await connection.commit();
          return result;
        } catch (error) {
          await connection.rollback();
          throw error;
        } finally {
          connection.release();
        }
      },
      noTransactions: [outside, pool],
      run: (connection, text, values) => connection.query(text, values),
      async close() {
        outside.release();
        await pool.end();
      },
    };
    return open;
  },
};
