// The reply of prepare-half.lua as the sender gets it.
import { IdempotencyConflictError, type OutgoingMessage, type SendResult } from '@millrace/core';
import { dueState } from './sender.js';

/** @param first number of the shard's first queue @param queue inside the shard */
export function prepared(message: OutgoingMessage, reply: string, first: number, queue: number): SendResult {
  const { topic, messageId, identity } = message;
  const receipt = { topic, messageId, queue: first + queue, duplicate: false, state: 'half' } as const;
  if (reply === 'HALF') return { ok: true, receipt };
  const conflict = (id: string): SendResult => {
    return { ok: false, error: new IdempotencyConflictError(topic, identity?.key ?? messageId, id) };
  };
  if (reply === 'TAKEN') return conflict(messageId);
  if (reply.startsWith('CONFLICT ')) return conflict(reply.slice('CONFLICT '.length));
  const [, state, at, id] = /^DUPLICATE (\S+) (\d+) (.*)$/s.exec(reply)!;
  const of = { ...receipt, messageId: id!, queue: first + Number(at), duplicate: true };
  return { ok: true, receipt: { ...of, ...dueState(state === '-' ? '' : state!) } };
}
