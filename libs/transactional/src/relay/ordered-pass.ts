// Relays rows with ordering keys: a partition has one relay at a time, and a row goes only after the one before it in
// its key is confirmed. Keys do not wait for each other.
import type { OutboxRow } from '../outbox/outbox-row.js';
import { batchLimit, NOTHING, passTransaction, writeReport, type PassResult, type RelayParts } from './relay-pass.js';
import type { OrderedHead } from './relay-store.js';
import { sendRows, type SendReport } from './send-rows.js';

/** Partitions leased at a time: few enough to leave some for other relays, many enough to fill a batch. */
const MAX_PARTITIONS = 8;

export function orderedPass<Tx>(parts: RelayParts<Tx>): Promise<PassResult> {
  return passTransaction(parts, async (sql, trusted) => {
    // The lease is taken in a statement of its own: the next one then sees what the former owner committed.
    const partitions = await parts.store.leasePartitions(sql, MAX_PARTITIONS);
    if (partitions.length === 0) return NOTHING;
    const heads = await parts.store.lockOrdered(sql, partitions, batchLimit(parts.spec));
    return writeReport(parts, sql, await sendInWaves(parts, heads, trusted));
  });
}

/** Each wave is the first unsent row of every key that may still go on. */
async function sendInWaves<Tx>(
  { sender }: RelayParts<Tx>,
  heads: readonly OrderedHead[],
  trusted: () => boolean,
): Promise<SendReport> {
  const sent: OutboxRow[] = [];
  const failed: { row: OutboxRow; error: unknown }[] = [];
  let lanes = lanesOf(heads);
  let outage: unknown;
  while (lanes.length > 0 && outage === undefined && trusted()) {
    const wave = await sendRows(
      sender,
      lanes.map((lane) => lane[0]!),
    );
    sent.push(...wave.sent);
    failed.push(...wave.failed);
    outage = wave.outage;
    const confirmed = new Set(wave.sent);
    lanes = lanes.filter((lane) => confirmed.has(lane[0]!) && lane.length > 1).map((lane) => lane.slice(1));
  }
  return { sent, failed, outage };
}

/** Rows per key, oldest first, up to the first one that cannot be sent now. */
function lanesOf(heads: readonly OrderedHead[]): OutboxRow[][] {
  const lanes = new Map<string, { rows: OutboxRow[]; open: boolean }>();
  for (const { topic, orderingKey, row } of heads) {
    // A topic name has no line break.
    const key = `${topic}\n${orderingKey}`;
    const lane = lanes.get(key) ?? { rows: [], open: true };
    lanes.set(key, lane);
    if (lane.open && row) lane.rows.push(row);
    else lane.open = false;
  }
  return [...lanes.values()].map((lane) => lane.rows).filter((lane) => lane.length > 0);
}
