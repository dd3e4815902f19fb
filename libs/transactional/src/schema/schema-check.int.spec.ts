import pg from 'pg';
import { DataSource } from 'typeorm';
import { MARIADB } from '../../test/adapters/test-server.js';
import { transactionalMigration, MillraceTransactional1763683200000 } from '../typeorm.js';
import { outboxMigration, outboxMigrationDown } from './migration.js';

describe('the migration', () => {
  it('goes up, again, and down', async () => {
    const client = new pg.Client(process.env.DATABASE_URL);
    await client.connect();
    const tables = async (): Promise<number> =>
      (await client.query(`select 1 from pg_tables where tablename like 'updown\\_%'`)).rows.length;
    await client.query(outboxMigration('updown_'));
    await client.query(outboxMigration('updown_'));
    expect(await tables()).toBe(4);
    // An open transaction has written: a second run neither waits for it nor fails.
    await client.query('begin');
    await client.query(
      `insert into updown_outbox (id, aggregatetype, aggregateid, meta, payload) values ('1', 't', 'a', '{}', '')`,
    );
    const other = new pg.Client({ connectionString: process.env.DATABASE_URL, lock_timeout: 100 });
    await other.connect();
    await other.query(outboxMigration('updown_'));
    await other.end();
    await client.query('commit');
    await client.query(outboxMigrationDown('updown_'));
    expect(await tables()).toBe(1);
    await client.query('drop table updown_schema');
    await client.end();
  });

  it('is a TypeORM migration with a name per prefix', async () => {
    const migrations = [transactionalMigration('typeorm_')];
    const migrationsTableName = 'typeorm_migrations_of_millrace';
    const database = await new DataSource({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      migrations,
      migrationsTableName,
    }).initialize();
    expect((await database.runMigrations()).map(({ name }) => name)).toEqual([
      'MillraceTransactionaltypeorm_1763683200000',
    ]);
    expect(await database.query(`select to_regclass('typeorm_inbox') is not null as there`)).toEqual([{ there: true }]);
    await database.undoLastMigration();
    expect(await database.query(`select to_regclass('typeorm_inbox') is not null as there`)).toEqual([
      { there: false },
    ]);
    await database.query(`drop table typeorm_schema, ${migrationsTableName}`);
    await database.destroy();
    expect(new MillraceTransactional1763683200000()).toMatchObject({ name: 'MillraceTransactional1763683200000' });
  });

  it('is the same on MariaDB', async () => {
    const migrationsTableName = 'typeorm_migrations_of_millrace';
    const migrations = [transactionalMigration('typeorm_')];
    const options = { type: 'mariadb', url: MARIADB.url(), migrations, migrationsTableName } as const;
    const database = await new DataSource(options).initialize();
    await database.runMigrations();
    const inbox = `select table_name from information_schema.tables where table_schema = database() and table_name = 'typeorm_inbox'`;
    expect(await database.query(inbox)).toHaveLength(1);
    await database.undoLastMigration();
    expect(await database.query(inbox)).toHaveLength(0);
    await database.query(`drop table typeorm_schema, ${migrationsTableName}`);
    await database.destroy();
  });

  it('leaves the tables of a version before the first release alone, and says what to do', async () => {
    const client = new pg.Client(process.env.DATABASE_URL);
    await client.connect();
    await client.query(outboxMigration('early_'));
    await client.query('update early_schema set version = 1');
    await expect(client.query(outboxMigration('early_'))).rejects.toThrow(
      /outboxMigrationDown.*0001 transactional again/,
    );
    await client.query(outboxMigrationDown('early_'));
    await client.query(outboxMigration('early_'));
    expect((await client.query('select version from early_schema')).rows).toEqual([{ version: 2 }]);
    await client.query(`${outboxMigrationDown('early_')}; drop table early_schema`);
    await client.end();
  });
});
