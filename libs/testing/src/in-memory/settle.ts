// Settling: exactly one settlement of a delivery takes effect, and only its owner's.
import { searchedOf, TAGS_LIVE_MS, type Delivery, type Settlement, type SettleResult } from '@millrace/core';
import { ownedBy, type Owned } from './delivery-leases.js';
import type { InMemoryStore } from './in-memory-store.js';
import type { OnScheduled } from './send.js';

export function settleOne(
  store: InMemoryStore,
  delivery: Delivery,
  settlement: Settlement,
  onScheduled: OnScheduled,
): SettleResult {
  const owned = ownedBy(store.find(delivery.topic), delivery);
  if (!owned) return 'lease-lost';
  // What nobody of the group takes is progress; what another member takes is not ours to end.
  if (settlement.type === 'ack' && settlement.skipped && isRegistered(owned, store.now())) return 'wanted';
  owned.pending.started = false;
  const again = settlement.type === 'retry' || settlement.type === 'release';
  if (again && owned.group.mode === 'ordered') {
    keepInPlace(store, owned, settlement);
    return 'settled';
  }
  owned.part.pending.delete(delivery.entryId);
  if (again) comeAgain(store, delivery, owned, settlement, onScheduled);
  else if (settlement.type === 'dead-letter') bury(store, delivery, owned, settlement);
  else if (settlement.expired) owned.group.expired++;
  else if (settlement.skipped) owned.group.skipped++;
  else owned.group.done++;
  return 'settled';
}

function isRegistered({ group, pending }: Owned, now: number): boolean {
  const { tag } = pending.entry.message;
  return ['*', tag].some((name) => now - (group.tags.get(name) ?? -Infinity) < TAGS_LIVE_MS);
}

type Again = Extract<Settlement, { type: 'retry' | 'release' }>;

/** Ordered: the entry stays pending and ours, so that its followers wait; the state is there for a new owner. */
function keepInPlace(store: InMemoryStore, { pending }: Owned, settlement: Again): void {
  if (settlement.type === 'retry') pending.state = settlement.state;
  if (settlement.type === 'retry' || settlement.delayMs > 0) pending.notBefore = store.now() + settlement.delayMs;
}

/** Concurrent: it leaves the queue, and comes back to this group alone through its retry stream. */
function comeAgain(
  store: InMemoryStore,
  delivery: Delivery,
  { part, pending }: Owned,
  settlement: Again,
  onScheduled: OnScheduled,
): void {
  const now = store.now();
  const sequence = store.nextSequence();
  const state = settlement.type === 'retry' ? settlement.state : pending.state;
  const { queue, firstReadyAt } = pending;
  const { message } = pending.entry;
  if (settlement.delayMs <= 0) {
    part.retryReady.push({ position: sequence, readyAt: now, message, queue, state, firstReadyAt });
    store.topic(delivery.topic).shards[delivery.shard]!.arrivals.announce();
    return;
  }
  // Named by its sequence, not by the message id: whatever happens, a retry never overwrites another one.
  const value = { message, queue, state, firstReadyAt };
  part.retries.add({ id: String(sequence), dueAt: now + settlement.delayMs, sequence, value });
  onScheduled(delivery.topic, delivery.shard, settlement.delayMs);
}

function bury(
  store: InMemoryStore,
  { topic, group: name, shard }: Delivery,
  { group, pending: { entry, queue } }: Owned,
  { reason, text, state }: Extract<Settlement, { type: 'dead-letter' }>,
): void {
  const { message } = entry;
  const { messageId } = message;
  // Two entries may carry one message id: the second must not hide behind the first.
  const taken = group.dead.some(({ letter }) => letter.name === messageId);
  const own = taken ? `${messageId}~${store.nextSequence()}` : messageId;
  const deadAt = new Date(store.now());
  const about = { name: own, messageId, topic, group: name, reason, text, deadAt, state };
  group.dead.push({ shard, queue, letter: { ...about, ...searchedOf(message), message } });
  group.untold?.set(own, deadAt.getTime());
}
