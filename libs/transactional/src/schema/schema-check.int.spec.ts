import pg from 'pg';
import { DataSource } from 'typeorm';
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
    await client.query(`insert into updown_outbox (id, topic, meta, body) values ('1', 't', '{}', '')`);
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
});
