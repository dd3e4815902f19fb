// A message becomes a dead letter of its group.
import { searchedOf, type DeadLetterReason, type RetryState, type StoredMessage } from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import type { StoredGroup } from './stored-group.js';

export interface Place {
  readonly topic: string;
  readonly shard: number;
  /** Queue inside the shard. */
  readonly queue: number;
}

export interface Death {
  readonly reason: DeadLetterReason;
  readonly text?: string;
  readonly state: RetryState;
}

export function bury(
  store: InMemoryStore,
  group: StoredGroup,
  { topic, shard, queue }: Place,
  message: StoredMessage,
  { reason, text, state }: Death,
): void {
  const { messageId } = message;
  // Two entries may carry one message id: the second must not hide behind the first.
  const taken = group.dead.some(({ letter }) => letter.name === messageId);
  const own = taken ? `${messageId}~${store.nextSequence()}` : messageId;
  const deadAt = new Date(store.now());
  const about = { name: own, messageId, topic, group: group.name, reason, text, deadAt, state };
  group.dead.push({ shard, queue, letter: { ...about, ...searchedOf(message), message } });
  group.untold?.set(own, deadAt.getTime());
}
