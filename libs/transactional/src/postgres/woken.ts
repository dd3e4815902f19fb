// A notification as part of a statement, for who commits it.
import type { TableNames } from '../database/table-names.js';

/** PostgreSQL folds equal notifications of a transaction into one, so each statement may ask for it. */
export function woken({ channel }: TableNames): string {
  return `woken as materialized (select pg_notify('${channel}', ''))`;
}
