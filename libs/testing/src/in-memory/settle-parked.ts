// Ordered mode: settlements that keep a message with its key, and those that let the key go on.
import type { Settlement } from '@millrace/core';
import type { Owned } from './delivery-leases.js';
import type { InMemoryStore } from './in-memory-store.js';
import { goOn, keep, setState } from './park.js';

export type Parking = Extract<Settlement, { type: 'retry' | 'release' | 'park' | 'follow' }>;

/** The entry has left its stream; it is kept, and its key waits as the settlement says. Returns ms to its time, if any. */
export function parkOne(store: InMemoryStore, { part, pending }: Owned, settlement: Parking): number | undefined {
  const now = store.now();
  const known = part.parked[pending.queue]!.has(pending.entry.message.orderingKey);
  const state = settlement.type === 'retry' || settlement.type === 'park' ? settlement.state : pending.state;
  const key = keep(part, pending, state, now);
  if (settlement.type === 'follow') {
    if (!known) setState(part, key, settlement.wake ? { type: 'ready' } : { type: 'taken', epoch: pending.epoch! });
    return settlement.wake ? 0 : undefined;
  }
  const message = key.messages.find(({ entry }) => entry === pending.entry)!;
  message.wasTried = true;
  if (settlement.type === 'park') {
    message.reason = settlement.reason;
    message.text = settlement.text;
    setState(part, key, { type: 'exhausted' });
    return undefined;
  }
  const { delayMs } = settlement;
  setState(part, key, delayMs > 0 ? { type: 'waiting', dueAt: now + delayMs } : { type: 'ready' });
  return delayMs;
}

/** The entry has ended for this group: what is behind it goes on, if its key is parked. */
export function endOne({ part, pending }: Owned, leadsParked: boolean): void {
  const { queue, parked, entry } = pending;
  const { orderingKey } = entry.message;
  const key = part.parked[queue]?.get(orderingKey);
  if (!key) return;
  if (parked) key.remove(parked);
  if (parked || leadsParked) goOn(part, queue, orderingKey);
}
