// Promoting: due messages of one shard become ready.
import type { PromoteResult } from '@millrace/core';
import { isBefore, type DueItem, type DueStore } from './due-store.js';
import type { InMemoryStore } from './in-memory-store.js';
import { setState } from './park.js';
import type { GroupShard } from './stored-group.js';
import type { StoredTopic } from './stored-topic.js';

interface Source {
  head(): DueItem<unknown> | undefined;
  makeReady(now: number): void;
}

/** Delayed messages and the retries of all groups, merged in due order. */
export function promote(store: InMemoryStore, topic: StoredTopic, shard: number, max: number): PromoteResult {
  const now = store.now();
  const sources = sourcesOf(store, topic, shard);
  let promoted = 0;
  let next = earliest(sources);
  while (next && promoted < max && next.head()!.dueAt <= now) {
    next.makeReady(now);
    promoted++;
    next = earliest(sources);
  }
  if (promoted > 0) topic.shards[shard]!.arrivals.announce();
  return { promoted, nextDueInMs: next && Math.max(0, next.head()!.dueAt - now) };
}

function sourcesOf(store: InMemoryStore, topic: StoredTopic, index: number): Source[] {
  const shard = topic.shards[index]!;
  const delayed = sourceOf(shard.scheduled, ({ message, queue }, now) => shard.queues[queue]!.append(message, now));
  const retries = [...topic.groups.values()].map((group) => {
    const part = group.shards[index]!;
    return sourceOf(part.retries, (retry, readyAt) =>
      part.retryReady.push({ ...retry, readyAt, position: store.nextSequence() }),
    );
  });
  const parked = [...topic.groups.values()].map((group) => parkedSource(group.shards[index]!));
  return [delayed, ...retries, ...parked];
}

/** Parked keys whose first message waits for its next attempt. */
function parkedSource(part: GroupShard): Source {
  const waiting = part.parked
    .flatMap((keys) => [...keys.values()])
    .flatMap((key) => (key.state.type === 'waiting' ? [{ key, dueAt: key.state.dueAt }] : []))
    .toSorted((a, b) => a.dueAt - b.dueAt);
  return {
    head: () => waiting[0] && { id: '', dueAt: waiting[0].dueAt, sequence: 0, value: undefined },
    makeReady: () => setState(part, waiting.shift()!.key, { type: 'ready' }),
  };
}

function sourceOf<T>(due: DueStore<T>, ready: (value: T, now: number) => void): Source {
  return {
    head: () => due.head(),
    makeReady: (now) => ready(due.remove(due.head()!.id)!.value, now),
  };
}

function earliest(sources: readonly Source[]): Source | undefined {
  let best: Source | undefined;
  for (const source of sources) {
    const head = source.head();
    if (head && (!best || isBefore(head, best.head()!))) best = source;
  }
  return best;
}
