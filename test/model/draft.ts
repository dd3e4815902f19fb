// A message as a command says it, and as the port takes it.
import { createHash } from 'node:crypto';
import { idRecord, keyRecord, type OutgoingMessage } from '@millrace/core';

export interface Draft {
  readonly body: string;
  readonly tag: string;
  readonly orderingKey?: string;
  readonly idempotencyKey?: string;
  /** An explicit id, which counts as an idempotency key. */
  readonly messageId?: string;
  /** Due in an hour: never by itself while a run lasts. */
  readonly isDelayed: boolean;
}

export const HOUR_MS = 3_600_000;

/** The name of the draft's identity; undefined for a plain message. */
export function recordOf({
  messageId,
  idempotencyKey,
  orderingKey = '',
}: Pick<Draft, 'messageId' | 'idempotencyKey' | 'orderingKey'>): string | undefined {
  if (idempotencyKey !== undefined) return keyRecord(idempotencyKey, orderingKey);
  return messageId === undefined ? undefined : idRecord(messageId);
}

export function outgoing(topic: string, draft: Draft, messageId: string): OutgoingMessage {
  const { tag, orderingKey = '', idempotencyKey, isDelayed } = draft;
  const body = Buffer.from(draft.body);
  const digest = createHash('sha256').update(`${tag}\0`).update(body).digest('hex');
  const record = recordOf(draft);
  return {
    topic,
    messageId,
    tag,
    orderingKey,
    routingKey: orderingKey || (idempotencyKey ?? messageId),
    meta: JSON.stringify({ v: 1, at: 0, i: idempotencyKey }),
    body,
    due: isDelayed ? { delayMs: HOUR_MS } : undefined,
    identity: record === undefined ? undefined : { record, key: idempotencyKey ?? messageId, digest },
  };
}
