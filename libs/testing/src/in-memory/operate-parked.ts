// What an operator does about parked keys.
import { routeOf, type ResumeKeyResult, type SkipKeyResult } from '@millrace/core';
import { bury } from './bury.js';
import type { InMemoryStore } from './in-memory-store.js';
import { goOn, setState } from './park.js';
import type { ParkedKey } from './parked-key.js';
import type { GroupShard, StoredGroup } from './stored-group.js';

export function resumeKey(store: InMemoryStore, topic: string, group: string, orderingKey: string): ResumeKeyResult {
  const found = find(store, topic, group, orderingKey);
  if (typeof found === 'string') return found;
  const [first] = found.key.messages;
  first!.state = { ...first!.state, attempt: 1, crashes: 0 };
  first!.reason = undefined;
  first!.firstReadyAt = store.now();
  setState(found.part, found.key, { type: 'ready' });
  announce(store, topic, found.shard);
  return 'resumed';
}

export function skipKey(store: InMemoryStore, topic: string, name: string, orderingKey: string): SkipKeyResult {
  const found = find(store, topic, name, orderingKey);
  if (typeof found === 'string') return { result: found };
  const { key, part, group, shard, queue } = found;
  const [{ entry, state, reason = 'rejected', text = 'skipped by an operator' }] = key.messages as [
    ParkedKey['messages'][number],
  ];
  const { messageId } = entry.message;
  bury(store, group, { topic, shard, queue }, entry.message, { reason, text, state });
  key.remove(key.messages[0]!);
  goOn(part, queue, orderingKey);
  announce(store, topic, shard);
  return { result: 'skipped', messageId };
}

interface Found {
  readonly group: StoredGroup;
  readonly part: GroupShard;
  readonly key: ParkedKey;
  readonly shard: number;
  readonly queue: number;
}

function find(
  store: InMemoryStore,
  topic: string,
  name: string,
  orderingKey: string,
): Found | 'running' | 'not-parked' {
  const stored = store.find(topic);
  const group = stored?.groups.get(name);
  if (!stored || !group) return 'not-parked';
  const { shard, queue } = routeOf(orderingKey, stored.settings);
  const part = group.shards[shard]!;
  const key = part.parked[queue]!.get(orderingKey);
  if (!key || key.messages.length === 0) return 'not-parked';
  return key.state.type === 'taken' ? 'running' : { group, part, key, shard, queue };
}

function announce(store: InMemoryStore, topic: string, shard: number): void {
  store.topic(topic).shards[shard]!.arrivals.announce();
}
