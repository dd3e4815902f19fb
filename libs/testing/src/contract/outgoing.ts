// Messages as the port takes them, built by hand: the suite tests the port below the producer.
import { createHash } from 'node:crypto';
import {
  idRecord,
  keyRecord,
  newMessageId,
  type Delivery,
  type OutgoingMessage,
  type RetryState,
} from '@millrace/core';

export interface Draft {
  body?: string | Buffer;
  tag?: string;
  orderingKey?: string;
  idempotencyKey?: string;
  /** Given: an explicit id, which counts as an idempotency key. */
  messageId?: string;
  meta?: string | Buffer;
  due?: OutgoingMessage['due'];
}

export function outgoing(topic: string, draft: Draft): OutgoingMessage {
  const { tag = '', orderingKey = '', idempotencyKey, due } = draft;
  const messageId = draft.messageId ?? newMessageId();
  const body = Buffer.from(draft.body ?? 'null');
  const meta = draft.meta ?? JSON.stringify({ v: 1, at: Date.now(), i: idempotencyKey });
  const digest = createHash('sha256').update(`${tag}\0`).update(body).digest('hex');
  const routingKey = orderingKey || (idempotencyKey ?? messageId);
  const stored = { messageId, tag, orderingKey, meta, body, topic, routingKey, due };
  if (idempotencyKey !== undefined) {
    return { ...stored, identity: { record: keyRecord(idempotencyKey, orderingKey), key: idempotencyKey, digest } };
  }
  if (draft.messageId === undefined) return stored;
  return { ...stored, identity: { record: idRecord(messageId), key: messageId, digest } };
}

/** The bodies, in the order of the deliveries. */
export function bodies(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ message }) => message.body.toString());
}

/** A state as the consumer makes it after two failures, with every field in use. */
export const FAILED_TWICE: RetryState = {
  attempt: 3,
  crashes: 1,
  generation: 0,
  failures: [
    { attempt: 1, at: 1_767_225_600_000, durationMs: 12, error: 'TypeError', text: 'no “price”', stack: 'at a\nat b' },
    { attempt: 2, at: 1_767_225_610_000, durationMs: 7.5, error: 'Error', text: '' },
  ],
  failuresLeftOut: 4,
};
