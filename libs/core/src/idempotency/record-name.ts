// Under which name a message is recorded for an idempotent listener, and where.
import { createHash } from 'node:crypto';
import { InvalidMessageError } from '../consumer/outcome.js';
import type { MqContext } from '../consumer/mq-context.js';
import { idRecord, keyRecord } from '../message/routing.js';
import type { IdempotentSpec } from './idempotent-option.js';

/** Longest name stored as it is, in UTF-8 bytes: two keys of 255 fit. */
const MAX_BYTES = 600;

export interface RecordPlace {
  readonly name: string;
  readonly routingKey: string;
}

/**
 * A listener's own key is routed by itself: messages that share it may lie in different shards. Without one the record
 * lies where the message does. The generation is part of the name, so that a redriven message is not taken for done.
 * Throws InvalidMessageError when the listener's key function fails.
 */
export function recordPlace(
  { message, generation }: Pick<MqContext, 'message' | 'generation'>,
  { key }: Pick<IdempotentSpec, 'key'>,
): RecordPlace {
  if (key) {
    const own = keyBy(key, message);
    return { name: bounded(`${generation}:c:${own}`), routingKey: own };
  }
  const { idempotencyKey, messageId, orderingKey } = message;
  const identity = idempotencyKey === undefined ? idRecord(messageId) : keyRecord(idempotencyKey, orderingKey);
  return { name: bounded(`${generation}:${identity}`), routingKey: orderingKey ?? idempotencyKey ?? messageId };
}

function keyBy(key: NonNullable<IdempotentSpec['key']>, message: MqContext['message']): string {
  let own: unknown;
  try {
    own = key(message);
  } catch (error) {
    throw new InvalidMessageError(error);
  }
  if (typeof own === 'string' && own !== '') return own;
  const what = own === '' ? "''" : typeof own;
  throw new InvalidMessageError(new TypeError(`idempotent.key must return text that is not empty, not ${what}`));
}

function bounded(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  return `h:${createHash('sha256').update(name).digest('base64url')}`;
}
