// Advisory locks belong to the whole database; ours are told from others' by the table they are about.

/** SQL of a lock number for a text. The table's oid keeps apart tables of one name in different schemas. */
export function lockOf(table: string, text: string): string {
  return `hashtextextended('${table}'::regclass::oid::text || ' ' || ${text}, 5250112)`;
}
