// What every kind of pass shares: its transaction, and how the outcome of a send is written down.
import { MqError, type Clock } from '@millrace/core';
import type { OutboxDatabase, SqlExecutor } from '../database/outbox-database.js';
import type { CancellationStore } from './cancellation-store.js';
import { backoffAfter, type RelaySpec } from './relay-options.js';
import type { BatchLimit, RelayStore } from './relay-store.js';
import type { MessageSender, SendReport } from './send-rows.js';

/** Bodies held in memory at a time; exceeded by at most one row. */
const BATCH_BYTES = 16 * 1024 * 1024;
/** A relay that has held its locks for this long sends nothing more under them: see FROZEN_AFTER of the store. */
const LOCKS_TRUSTED_MS = 25_000;
/** `last_error` is for people; a page is enough. */
const ERROR_TEXT_LENGTH = 2000;

/** A message that was parked, for logs and alarms. */
export interface ParkedMessage {
  readonly messageId: string;
  readonly topic: string;
  readonly error: unknown;
}

export interface RelayParts<Tx = unknown> {
  readonly database: OutboxDatabase<Tx>;
  readonly store: RelayStore;
  readonly cancellations: CancellationStore;
  readonly sender: MessageSender;
  readonly spec: RelaySpec;
  readonly clock: Clock;
  /** Told after the transaction that parked them has committed. */
  onParked?(messages: readonly ParkedMessage[]): void;
}

export interface PassResult {
  /** Rows or cancellations that are dealt with, one way or the other. */
  readonly handled: number;
  readonly outage?: unknown;
  readonly parked?: readonly ParkedMessage[];
}

export const NOTHING: PassResult = { handled: 0 };

export function batchLimit(spec: RelaySpec): BatchLimit {
  return { rows: spec.batchSize, bytes: BATCH_BYTES };
}

/** Runs a pass in a relay transaction. `trusted` tells whether its locks are surely still held. */
export async function passTransaction<Tx>(
  parts: RelayParts<Tx>,
  pass: (sql: SqlExecutor, trusted: () => boolean) => Promise<PassResult>,
): Promise<PassResult> {
  const { database, store, clock } = parts;
  const result = await database.transaction(async (tx) => {
    const sql = database.executor(tx);
    await store.begin(sql);
    const until = clock.monotonic() + LOCKS_TRUSTED_MS;
    try {
      return await pass(sql, () => clock.monotonic() < until);
    } finally {
      // A connection that cannot do this is lost, and the commit will tell.
      await store.end?.(sql).catch(() => {});
    }
  });
  if (result.parked && result.parked.length > 0) parts.onParked?.(result.parked);
  return result;
}

/** Marks what was sent, counts what was refused, and parks what was refused too often. */
export async function writeReport<Tx>(
  { store, spec }: RelayParts<Tx>,
  sql: SqlExecutor,
  { sent, failed, outage }: SendReport,
): Promise<PassResult> {
  const handled = sent.length + failed.length;
  if (sent.length > 0) {
    const seqs = sent.map((row) => row.seq);
    await store.markSent(sql, seqs, spec.keepSentMs > 0);
  }
  if (failed.length === 0) return { handled, outage };
  const refusals = failed.map(({ row, error }) => ({
    seq: row.seq,
    error: errorText(error),
    delayMs: backoffAfter(row.attempts + 1, spec),
  }));
  const parkedIds = new Set(await store.markFailed(sql, refusals, spec.maxAttempts));
  const parked = failed
    .filter(({ row }) => parkedIds.has(row.id))
    .map(({ row, error }) => ({ messageId: row.id, topic: row.topic, error }));
  return { handled, outage, parked };
}

/** SQL text cannot hold NUL, and the text of an error is not ours. */
function errorText(error: unknown): string {
  const name = error instanceof MqError ? error.code : error instanceof Error ? error.name : 'thrown';
  const text = error instanceof Error ? error.message : String(error);
  return `${name}: ${text}`.replaceAll('\0', '\\0').slice(0, ERROR_TEXT_LENGTH);
}
