// Relays rows without ordering key: any number of relays at once, each on rows that no other has locked.
import { batchLimit, NOTHING, passTransaction, writeReport, type PassResult, type RelayParts } from './relay-pass.js';
import { sendRows } from './send-rows.js';

/**
 * The rows stay locked until they are marked, in the same transaction. A crash in between gives them back, and the next
 * relay's send of the same id is recognised as a duplicate.
 */
export function freePass<Tx>(parts: RelayParts<Tx>): Promise<PassResult> {
  return passTransaction(parts, async (sql, trusted) => {
    const rows = await parts.store.lockFree(sql, batchLimit(parts.spec));
    if (rows.length === 0 || !trusted()) return NOTHING;
    return writeReport(parts, sql, await sendRows(parts.sender, rows));
  });
}
