// Checks of what names a scheduled message.
import { InvalidOptionError } from '../errors.js';
import { checkOptions } from '../option-check.js';
import type { MessageRef } from './receipt.js';
import { checkName } from './send-options.js';

/** Exactly one of message id and idempotency key. Throws InvalidOptionError. */
export function checkRef(ref: MessageRef): void {
  checkOptions('ref', ref, ['messageId', 'idempotencyKey', 'orderingKey']);
  const { messageId, idempotencyKey, orderingKey } = ref as Record<string, unknown>;
  if ((messageId === undefined) === (idempotencyKey === undefined))
    throw new InvalidOptionError('ref', ref, "needs exactly one of 'messageId' and 'idempotencyKey'");
  if (messageId !== undefined) checkName('ref.messageId', messageId);
  if (idempotencyKey !== undefined) checkName('ref.idempotencyKey', idempotencyKey);
  if (orderingKey !== undefined) checkName('ref.orderingKey', orderingKey);
}

/** What cancels it: by its idempotency key the answer is final even after it was delivered. */
export function refOf(message: { messageId: string; idempotencyKey?: string; orderingKey?: string }): MessageRef {
  const { messageId, idempotencyKey, orderingKey } = message;
  if (idempotencyKey === undefined) return { messageId };
  return orderingKey === undefined ? { idempotencyKey } : { idempotencyKey, orderingKey };
}
