import knexOf, { type Knex } from 'knex';
import { knexDatabase } from '../../src/knex.js';
import { POOL, type Adapter, type OpenDatabase } from './adapter.js';
import { MARIADB, POSTGRES, type TestServer } from './test-server.js';

export const KNEX_POSTGRES: Adapter = knexAdapter('Knex', 'pg', POSTGRES);
export const KNEX_MARIADB: Adapter = knexAdapter('Knex on MariaDB', 'mysql2', MARIADB);

function knexAdapter(name: string, client: string, server: TestServer): Adapter {
  return {
    name,
    server,
    async open() {
      const knex = knexOf({ client, connection: server.url(), pool: { min: 0, max: POOL } });
      const ended = await knex.transaction();
      await ended.commit();
      const open: OpenDatabase<Knex.Transaction> = {
        database: knexDatabase(knex),
        ownTransaction: (fn) => knex.transaction(fn),
        noTransactions: [knex as unknown as Knex.Transaction, ended],
        // Knex takes question marks on every server.
        run: (tx, text, values = []) => tx.raw(text.replaceAll(/\$\d+/g, '?'), values as Knex.Value[]),
        close: () => knex.destroy(),
      };
      return open as OpenDatabase;
    },
  };
}
