// SQL of the cleaner, on MariaDB 10.6 and MySQL 8.0 and later.
import type { SqlExecutor } from '../database/outbox-database.js';
import type { TableNames } from '../database/table-names.js';
import type { CleanStore } from '../relay/table-cleaner.js';
import { NOW } from './bytes.js';
import { choice, chosen } from './chosen-rows.js';

export class MysqlCleanStore implements CleanStore {
  constructor(private readonly names: TableNames) {}

  async deleteSent(sql: SqlExecutor, olderThanMs: number, max: number): Promise<number> {
    const { outbox } = this.names;
    const old = await sql.query<{ seq: string }>(
      `select cast(seq as char) as seq from ${outbox} where ${before('sent_at')} and state = 'sent'
       order by sent_at limit ?`,
      [micros(olderThanMs), max],
    );
    if (old.length > 0) await sql.query(`delete o from ${chosen(outbox)}`, [choice(old.map(({ seq }) => seq))]);
    return old.length;
  }

  async deleteHandled(sql: SqlExecutor, olderThanMs: number, max: number): Promise<number> {
    const { inbox } = this.names;
    const values = [micros(olderThanMs), max];
    const [old] = await sql.query<{ found: string | number }>(
      `select count(*) as found from (select 1 from ${inbox} where ${before('handled_at')} limit ?) o`,
      values,
    );
    const found = Number(old!.found);
    // By time, the order in which every cleaner takes its locks; records that are written now are not among them.
    if (found > 0)
      await sql.query(`delete from ${inbox} where ${before('handled_at')} order by handled_at limit ?`, values);
    return found;
  }
}

function before(column: string): string {
  return `${column} < timestampadd(microsecond, -?, ${NOW})`;
}

function micros(ms: number): number {
  return Math.round(ms * 1000);
}
