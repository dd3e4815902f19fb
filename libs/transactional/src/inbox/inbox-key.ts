// Under which name a message is recorded in the inbox.
import { createHash } from 'node:crypto';
import { idRecord, keyRecord, type Message } from '@millrace/core';

/** Longest name stored as it is, in UTF-8 bytes: two keys of 255 fit. An index row of PostgreSQL holds 2,700. */
const MAX_BYTES = 600;

/**
 * The idempotency key, in the scope of the ordering key as in the broker; else the message id. The generation is not
 * part of it: a redriven message whose effect had committed is not to be handled again.
 */
export function inboxKey(message: Pick<Message, 'messageId' | 'idempotencyKey' | 'orderingKey'>): string {
  const { messageId, idempotencyKey, orderingKey } = message;
  const record = idempotencyKey === undefined ? idRecord(messageId) : keyRecord(idempotencyKey, orderingKey);
  // SQL text cannot hold NUL, and the names of core's records never begin with 'h:'.
  if (!record.includes('\0') && Buffer.byteLength(record) <= MAX_BYTES) return record;
  return `h:${createHash('sha256').update(record).digest('base64url')}`;
}
