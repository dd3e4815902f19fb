// What the suites must say differently to PostgreSQL and to MariaDB.
import type { Dialect } from '../../src/database/outbox-database.js';
import { questionMarks } from '../../src/postgres/placeholders.js';

export interface TestServer {
  readonly dialect: Dialect;
  url(): string;
  /** A statement with `$1`, `$2` … as the server takes it. */
  statement(text: string, values?: readonly unknown[]): [text: string, values?: unknown[]];
  /** An expression for the column, so much earlier. */
  earlier(column: string, seconds: number): string;
  readonly now: string;
  /** The id of this connection, and how another ends it. */
  readonly connection: string;
  kill(connection: string): string;
  /** What a relay changes for its transactions; there, and afterwards. */
  readonly settings: string;
  readonly ofRelays: object;
  readonly ofOthers: object;
  /** Whether a statement with this text waits for a lock. */
  isWaiting(sql: (text: string, values?: unknown[]) => Promise<unknown[]>, like: string): Promise<boolean>;
  /** First statement of a transaction that is to be REPEATABLE READ; undefined where it is so by default. */
  readonly repeatableRead: string | undefined;
  /** A statement that fails. */
  readonly failing: string;
  /** Runs a statement after which the server has given up the transaction, and swallows the error. */
  breakTransaction(run: (text: string) => Promise<unknown>): Promise<void>;
}

export const POSTGRES: TestServer = {
  dialect: 'postgresql',
  url: () => process.env.DATABASE_URL!,
  statement: (text, values) => [text, values && [...values]],
  earlier: (column, seconds) => `${column} - interval '${seconds} seconds'`,
  now: 'clock_timestamp()',
  connection: 'select pg_backend_pid() as id',
  kill: (connection) => `select pg_terminate_backend(${connection})`,
  settings: `select current_setting('transaction_isolation') as isolation,
    current_setting('idle_in_transaction_session_timeout') as idle`,
  ofRelays: { isolation: 'read committed', idle: '1min' },
  ofOthers: { isolation: 'serializable', idle: '0' },
  async isWaiting(sql, like) {
    const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like $1`;
    return (await sql(waiting, [like])).length > 0;
  },
  repeatableRead: 'set transaction isolation level repeatable read',
  failing: 'select 1 / 0',
  async breakTransaction(run) {
    await run('select 1 / 0').catch(() => {});
  },
};

export const MARIADB: TestServer = {
  dialect: 'mysql',
  url() {
    const { MARIADB_URL, MARIADB_MISSING } = process.env;
    if (!MARIADB_URL) throw new Error(MARIADB_MISSING ?? 'MARIADB_URL is not set');
    return MARIADB_URL;
  },
  statement: (text, values = []) => questionMarks(text, values),
  earlier: (column, seconds) => `timestampadd(second, -${seconds}, ${column})`,
  now: 'utc_timestamp(6)',
  connection: 'select connection_id() as id',
  kill: (connection) => `kill ${connection}`,
  settings: 'select cast(@@session.wait_timeout as char) as idle',
  ofRelays: { idle: '60' },
  ofOthers: { idle: '28800' },
  async isWaiting(sql, like) {
    // The server looks anew only when nobody has asked it for a tenth of a second.
    await sql('do sleep(0.15)');
    const waiting = `select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT' and trx_query like $1`;
    return (await sql(waiting, [like])).length > 0;
  },
  repeatableRead: undefined,
  failing: 'select * from there_is_no_such_table',
  // What a deadlock does too.
  async breakTransaction(run) {
    await run('rollback');
  },
};
