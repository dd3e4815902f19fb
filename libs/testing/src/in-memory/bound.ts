// Topics with maxLength: a full one refuses, or lets the groups that are behind lose their oldest messages.
import { shareOf } from '@millrace/core';
import type { ParkedKey } from './parked-key.js';
import type { Shard } from './shard.js';
import type { GroupShard, StoredGroup } from './stored-group.js';
import type { StoredTopic } from './stored-topic.js';

/** Whether one more ready message may come into the shard. */
export function hasRoom(topic: StoredTopic, index: number): boolean {
  const { maxLength, onFull, shards } = topic.settings;
  if (maxLength === undefined || onFull !== 'reject') return true;
  const shard = topic.shards[index]!;
  const backlogs = [...topic.groups.values()].map((group) => backlog(shard, group.shards[index]!));
  // Without a group everything waits for the first one.
  const slowest = backlogs.length > 0 ? Math.max(...backlogs) : sum(shard.queues.map(({ size }) => size));
  return slowest < shareOf(maxLength, shards);
}

/** After a message came in. */
export function makeRoom(topic: StoredTopic, index: number): void {
  const { maxLength, onFull, shards } = topic.settings;
  if (maxLength === undefined || onFull === 'reject') return;
  const shard = topic.shards[index]!;
  for (const group of topic.groups.values()) {
    const part = group.shards[index]!;
    while (backlog(shard, part) > shareOf(maxLength, shards)) dropOldest(shard, group, part);
  }
}

/** Ready, leased, retrying and parked. */
function backlog(shard: Shard, part: GroupShard): number {
  const unread = sum(part.cursors.map((cursor, queue) => shard.queues[queue]!.countAfter(cursor)));
  const waiting = sum(parkedKeys(part).map(({ messages, page }) => messages.length - page.size));
  return unread + part.pending.size + part.retryReady.length + part.retries.size + waiting;
}

/** Of all that is ready or leased the one that has been so for longest; else the retry that is due first, else a parked one. */
function dropOldest(shard: Shard, group: StoredGroup, part: GroupShard): void {
  const candidates: { readyAt: number; drop: () => void }[] = [];
  for (const [id, { entry, parked }] of part.pending)
    if (!parked) candidates.push({ ...entry, drop: () => void part.pending.delete(id) });
  for (const [index, entry] of part.retryReady.entries())
    candidates.push({ ...entry, drop: () => void part.retryReady.splice(index, 1) });
  for (const [queue, cursor] of part.cursors.entries()) {
    const [entry] = shard.queues[queue]!.after(cursor, 1);
    if (entry) candidates.push({ ...entry, drop: () => void (part.cursors[queue] = entry.position) });
  }
  const [oldest] = candidates.toSorted((a, b) => a.readyAt - b.readyAt);
  const retry = part.retries.head();
  if (oldest) oldest.drop();
  else if (retry) part.retries.remove(retry.id);
  else dropParked(part);
  group.dropped++;
}

function parkedKeys(part: GroupShard): ParkedKey[] {
  return part.parked.flatMap((keys) => [...keys.values()]);
}

/** Rather one that nobody has in hand. */
function dropParked(part: GroupShard): void {
  const all = parkedKeys(part);
  const key = all.find(({ page }) => page.size === 0) ?? all[0]!;
  const [message] = key.messages;
  const out = key.page.get(message!);
  if (out) part.pending.delete(out.entryId);
  key.remove(message!);
  if (key.messages.length > 0) return;
  for (const keys of part.parked) if (keys.get(key.orderingKey) === key) keys.delete(key.orderingKey);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
