// Settling: exactly one settlement of a delivery takes effect, and only its owner's.
import { TAGS_LIVE_MS, type Delivery, type Settlement, type SettleResult } from '@millrace/core';
import { bury } from './bury.js';
import { ownedBy, type Owned } from './delivery-leases.js';
import type { InMemoryStore } from './in-memory-store.js';
import type { OnScheduled } from './send.js';
import { endOne, parkOne } from './settle-parked.js';

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
  owned.part.pending.delete(delivery.entryId);
  const isKeyed = owned.group.mode === 'ordered' && delivery.message.orderingKey !== '';
  const again = settlement.type === 'retry' || settlement.type === 'release';
  if (isKeyed && (again || settlement.type === 'park' || settlement.type === 'follow')) {
    const dueInMs = parkOne(store, owned, settlement);
    if (dueInMs === undefined) return 'settled';
    if (dueInMs > 0) onScheduled(delivery.topic, delivery.shard, dueInMs);
    else announce(store, delivery);
    return 'settled';
  }
  if (again) comeAgain(store, delivery, owned, settlement, onScheduled);
  else if (settlement.type === 'dead-letter')
    bury(store, owned.group, delivery, owned.pending.entry.message, settlement);
  else if (settlement.type === 'ack') owned.group[counterOf(settlement)]++;
  if (!isKeyed) return 'settled';
  const leadsParked =
    settlement.type === 'dead-letter' || (settlement.type === 'ack' && settlement.leadsParked === true);
  endOne(owned, leadsParked);
  announce(store, delivery);
  return 'settled';
}

function isRegistered({ group, pending }: Owned, now: number): boolean {
  const { tag } = pending.entry.message;
  return ['*', tag].some((name) => now - (group.tags.get(name) ?? -Infinity) < TAGS_LIVE_MS);
}

type Again = Extract<Settlement, { type: 'retry' | 'release' }>;

function counterOf({ expired, skipped }: Extract<Settlement, { type: 'ack' }>): 'expired' | 'skipped' | 'done' {
  if (expired) return 'expired';
  return skipped ? 'skipped' : 'done';
}

function announce(store: InMemoryStore, { topic, shard }: Delivery): void {
  store.topic(topic).shards[shard]!.arrivals.announce();
}

/** It leaves the queue, and comes back to this group alone through its retry stream. */
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
    announce(store, delivery);
    return;
  }
  // Named by its sequence, not by the message id: whatever happens, a retry never overwrites another one.
  const value = { message, queue, state, firstReadyAt };
  part.retries.add({ id: String(sequence), dueAt: now + settlement.delayMs, sequence, value });
  onScheduled(delivery.topic, delivery.shard, settlement.delayMs);
}
