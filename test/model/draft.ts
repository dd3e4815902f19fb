// A message as a command says it, and as the port takes it.
import { createHash } from 'node:crypto';
import { idRecord, keyRecord, type OutgoingMessage } from '@millrace/core';
import { HOUR_MS, LEASE_MS } from './shape.js';

export interface Draft {
  readonly body: string;
  readonly tag: string;
  readonly orderingKey?: string;
  readonly idempotencyKey?: string;
  /** An explicit id, which counts as an idempotency key. */
  readonly messageId?: string;
  readonly delay: 'none' | 'short' | 'long';
}

const DELAYS = { short: LEASE_MS / 2, long: HOUR_MS };

/** Those of one batch are due one after the other. */
export function delayOf({ delay }: Pick<Draft, 'delay'>, index: number): number | undefined {
  return delay === 'none' ? undefined : DELAYS[delay] + index;
}

/** The name of the draft's identity; undefined for a plain message. */
export function recordOf({
  messageId,
  idempotencyKey,
  orderingKey = '',
}: Pick<Draft, 'messageId' | 'idempotencyKey' | 'orderingKey'>): string | undefined {
  if (idempotencyKey !== undefined) return keyRecord(idempotencyKey, orderingKey);
  return messageId === undefined ? undefined : idRecord(messageId);
}

export const routingKeyOf = ({ orderingKey, idempotencyKey }: Draft, messageId: string): string =>
  orderingKey ?? idempotencyKey ?? messageId;

export function outgoing(topic: string, draft: Draft, messageId: string, index: number): OutgoingMessage {
  const { tag, orderingKey = '', idempotencyKey } = draft;
  const body = Buffer.from(draft.body);
  const digest = createHash('sha256').update(`${tag}\0`).update(body).digest('hex');
  const record = recordOf(draft);
  const delayMs = delayOf(draft, index);
  return {
    topic,
    messageId,
    tag,
    orderingKey,
    routingKey: routingKeyOf(draft, messageId),
    meta: JSON.stringify({ v: 1, at: 0, i: idempotencyKey }),
    body,
    due: delayMs === undefined ? undefined : { delayMs },
    identity: record === undefined ? undefined : { record, key: idempotencyKey ?? messageId, digest },
  };
}
