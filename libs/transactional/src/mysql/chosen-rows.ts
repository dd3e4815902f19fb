// Statements on rows chosen by number. `seq in (…)` would leave the server the choice to read the whole table instead,
// and with it the rows that others have locked; joined in this order, it looks up one row after the other.

/** To follow `from`, `update`, or `delete o from`; rows of the table are `o`, one value. In the order of the value. */
export function chosen(table: string): string {
  return `json_table(?, '$[*]' columns (seq bigint path '$')) k straight_join ${table} o force index (primary) on o.seq = k.seq`;
}

/** The value of a statement with `chosen`. */
export function choice(seqs: readonly (string | number)[]): string {
  return JSON.stringify(seqs.map(Number));
}
