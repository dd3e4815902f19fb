// Redrive: a dead letter returns to its group alone, with a new first attempt and its history.
import type { RedriveOptions, RetryState } from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import type { StoredGroup } from './stored-group.js';
import type { StoredTopic } from './stored-topic.js';

/** After so many redrives a dead letter stays, unless forced: it would only come back. */
const QUARANTINE_AFTER = 3;

export type Redrive = ({ messageIds: readonly string[] } | { max: number }) & RedriveOptions;

export function redrive(store: InMemoryStore, topic: StoredTopic, group: StoredGroup, which: Redrive): string[] {
  const { force, diedUntil } = which;
  const free = group.dead.filter(
    ({ letter }) =>
      (force || letter.state.generation < QUARANTINE_AFTER) && (diedUntil === undefined || letter.deadAt <= diedUntil),
  );
  const chosen =
    'max' in which
      ? free.slice(0, Math.max(0, which.max))
      : free.filter(({ letter }) => which.messageIds.includes(letter.name));
  group.forget(chosen);
  for (const { letter, shard, queue } of chosen) {
    const state: RetryState = { ...letter.state, attempt: 1, crashes: 0, generation: letter.state.generation + 1 };
    const entry = { position: store.nextSequence(), readyAt: store.now(), message: letter.message, queue, state };
    group.shards[shard]!.retryReady.push(entry);
    topic.shards[shard]!.arrivals.announce();
  }
  return chosen.map(({ letter }) => letter.name);
}
