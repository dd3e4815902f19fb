import { DataSource, type DataSourceOptions } from 'typeorm';

/** Any number; all processes of the shop must agree on it. */
const MIGRATION_LOCK = 5_250_112;

/** Connects and runs the migrations that are missing. Processes that start together take turns: TypeORM takes no lock. */
export async function openDatabase(options: DataSourceOptions): Promise<DataSource> {
  const database = await new DataSource(options).initialize();
  const turn = database.createQueryRunner();
  try {
    await turn.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await database.runMigrations();
    await turn.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    await turn.release();
    return database;
  } catch (error) {
    await database.destroy(); // the lock goes with its connection
    throw error;
  }
}
