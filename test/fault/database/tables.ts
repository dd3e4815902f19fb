// The tables of a run, and what differs between the databases that hold them.
export type SqlKind = 'postgres' | 'mariadb';

/** A number that grows with every insert. */
const GROWING: Record<SqlKind, string> = {
  postgres: 'bigint generated always as identity',
  mariadb: 'bigint not null auto_increment primary key',
};

/** No column but the number is unique: that there is one row a message is the inbox's doing. */
export const EFFECTS = (kind: SqlKind): string => `create table effects
  (at ${GROWING[kind]}, consumer_group int, producer int, n int, key_no bigint, fence decimal(20))`;

/**
 * The truth of a run: a message must arrive if and only if its row is here. `at` is drawn after the message was written,
 * so inside a key it is the order of the commits if the outbox keeps its promise that the second writer waits.
 */
export const BUSINESS = (kind: SqlKind): string => `create table business
  (at ${GROWING[kind]}, producer int, n int, key_no int, message_id varchar(64))`;

export function kindOf(url: string): SqlKind {
  return url.startsWith('mysql:') ? 'mariadb' : 'postgres';
}

/** `insert into <table> (…) values (…)` with the placeholders of the database. @param table a name of ours */
export function insertInto(kind: SqlKind, table: string, columns: readonly string[]): string {
  const places = columns.map((_, index) => (kind === 'postgres' ? `$${index + 1}` : '?'));
  return `insert into ${table} (${columns.join(', ')}) values (${places.join(', ')})`;
}
