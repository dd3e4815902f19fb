import { DataSource, type EntityManager } from 'typeorm';
import { typeOrmDatabase } from '../../src/typeorm.js';
import { POOL, type Adapter, type OpenDatabase } from './adapter.js';
import { MARIADB, POSTGRES } from './test-server.js';

export const TYPEORM_POSTGRES: Adapter = {
  name: 'TypeORM',
  server: POSTGRES,
  open: async (options) =>
    opened(
      new DataSource({
        type: 'postgres',
        url: POSTGRES.url(),
        extra: { max: POOL, options },
        poolErrorHandler: () => {},
      }),
    ),
};

export const TYPEORM_MARIADB: Adapter = {
  name: 'TypeORM on MariaDB',
  server: MARIADB,
  open: async () => opened(new DataSource({ type: 'mariadb', url: MARIADB.url(), poolSize: POOL })),
};

async function opened(dataSource: DataSource): Promise<OpenDatabase> {
  await dataSource.initialize();
  const open: OpenDatabase<EntityManager> = {
    database: typeOrmDatabase(dataSource),
    ownTransaction: (fn) => dataSource.transaction(fn),
    noTransactions: [dataSource.manager],
    run: (manager, text, values) => manager.query(text, values),
    close: () => dataSource.destroy(),
  };
  return open;
}
