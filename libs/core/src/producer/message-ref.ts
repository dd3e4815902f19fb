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
