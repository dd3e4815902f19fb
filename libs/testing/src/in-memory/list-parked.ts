// What an operator sees of parked keys.
import { queueOf, type ParkedKey as ParkedKeyRow } from '@millrace/core';
import type { InMemoryStore } from './in-memory-store.js';
import type { ParkedKey } from './parked-key.js';

/** What needs somebody comes first. */
const RANKS = { exhausted: 0, waiting: 1, running: 2 } as const;

export function listParked(store: InMemoryStore, topic: string, group: string): ParkedKeyRow[] {
  const stored = store.find(topic);
  const shards = stored?.groups.get(group)?.shards ?? [];
  const keys = shards.flatMap((part) => part.parked.flatMap((queue) => [...queue.values()]));
  return keys
    .map((key): ParkedKeyRow => {
      const [{ entry, state, reason, text }] = key.messages as [ParkedKey['messages'][number]];
      const queue = queueOf(key.orderingKey, stored!.settings.queues);
      return {
        topic,
        group,
        queue,
        orderingKey: key.orderingKey,
        since: key.since,
        reason,
        text,
        state: key.state.type === 'taken' ? 'running' : key.state.type === 'exhausted' ? 'exhausted' : 'waiting',
        dueInMs: dueIn(key, store.now()),
        messages: key.messages.length,
        messageId: entry.message.messageId,
        attempt: state.attempt,
        lastFailure: state.failures.at(-1),
      };
    })
    .toSorted((a, b) => RANKS[a.state] - RANKS[b.state] || a.since.getTime() - b.since.getTime());
}

function dueIn({ state }: ParkedKey, now: number): number | undefined {
  if (state.type === 'waiting') return Math.max(0, state.dueAt - now);
  return state.type === 'ready' ? 0 : undefined;
}
