// The auditor's own witness inside the database: every change of a stock, written down by a trigger that the
// application knows nothing of.
import type { Pool } from 'pg';

export async function keepStockJournal(sql: Pool): Promise<void> {
  await sql.query(`
    create table demo_stock_journal (
      id      bigint generated always as identity primary key,
      sale_id text not null,
      delta   integer not null
    );
    create function demo_note_stock() returns trigger language plpgsql as $$
    begin
      insert into demo_stock_journal (sale_id, delta) values (new.id, new.stock - old.stock);
      return null;
    end $$;
    create trigger demo_note_stock after update on sales for each row
      when (new.stock <> old.stock) execute function demo_note_stock();`);
}
