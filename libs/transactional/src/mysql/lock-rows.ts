// Rows that exist only to be locked. InnoDB has no lock that ends with the transaction but those on rows.
import { crc32 } from 'node:zlib';

/**
 * Turns that the ordering keys of a table share: two keys on one turn wait for each other as two writers of one key do.
 * The migration makes the rows; more of them need another migration.
 */
export const TURNS = 4096;

/** Kinds of lock rows: leases of partitions, and turns of ordering keys. */
export const PARTITION_LOCK = 'partition';
export const TURN_LOCK = 'turn';

/** Order holds inside a topic, so the topic is part of the key. */
export function turnOf(topic: string, orderingKey: string): number {
  return crc32(`${orderingKey}\0${topic}`) % TURNS;
}
