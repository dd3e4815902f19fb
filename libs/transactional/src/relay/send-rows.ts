// Sends rows and says what became of each. Three ends: sent; failed, which is the row's own fault and counts; or an
// outage of the broker, which counts for nobody.
import { MqError, type CancelResult, type MessageRef, type SendRequest, type SendResult } from '@millrace/core';
import { sendRequest, type OutboxRow } from '../outbox/outbox-row.js';

/** What the relay needs of core's Producer. */
export interface MessageSender {
  sendAll(requests: readonly SendRequest[]): Promise<SendResult[]>;
  cancel(topic: string, ref: MessageRef): Promise<CancelResult>;
}

export interface SendReport<R extends OutboxRow = OutboxRow> {
  readonly sent: readonly R[];
  readonly failed: readonly { row: R; error: unknown }[];
  /** Why rows that are in neither list could not be sent: the broker is not there now. */
  readonly outage?: unknown;
}

/** Retrying later, without a change, can help; a closed producer means that this process is shutting down. */
export function isOutage(error: unknown): boolean {
  return error instanceof MqError && (error.retriable || error.code === 'MQ_CLOSED');
}

export async function sendRows<R extends OutboxRow>(sender: MessageSender, rows: readonly R[]): Promise<SendReport<R>> {
  const sent: R[] = [];
  const failed: { row: R; error: unknown }[] = [];
  const unexplained: { row: R; error: unknown }[] = [];
  let outage: unknown;
  const readable: { row: R; request: SendRequest }[] = [];
  for (const row of rows) {
    try {
      readable.push({ row, request: sendRequest(row) });
    } catch (error) {
      failed.push({ row, error });
    }
  }
  const results = await sendEach(
    sender,
    readable.map(({ request }) => request),
  );
  readable.forEach(({ row }, index) => {
    const result = results[index]!;
    // A duplicate is what we hoped for: an earlier try had stored it.
    if (result.ok) sent.push(row);
    else if (isOutage(result.error)) outage ??= result.error;
    else (result.error instanceof MqError ? failed : unexplained).push({ row, error: result.error });
  });
  // An error that is not ours says nothing about whose fault it is. When neighbours got through, it is the row's.
  if (sent.length > 0) failed.push(...unexplained);
  else outage ??= unexplained[0]?.error;
  return { sent, failed, outage };
}

type Result = { ok: true } | { ok: false; error: unknown };

/** A batch that is refused as a whole is sent one by one, so that the one at fault stands alone. */
async function sendEach(sender: MessageSender, requests: readonly SendRequest[]): Promise<Result[]> {
  if (requests.length === 0) return [];
  try {
    return await sender.sendAll(requests);
  } catch (error) {
    if (requests.length === 1 || isOutage(error)) return requests.map(() => ({ ok: false, error }));
  }
  const results: Result[] = [];
  for (const request of requests) results.push(...(await sendEach(sender, [request])));
  return results;
}
