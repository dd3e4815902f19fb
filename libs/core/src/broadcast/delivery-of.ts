// An entry that was read by broadcast, as a delivery of the engine: without a lease, and with one owner for life.
import { FIRST_DELIVERY, type Delivery } from '../consumer/delivery.js';
import type { BroadcastEntry } from './broadcast-page.js';
import type { BroadcastSpec } from './broadcast-reader.js';

export function deliveryOf({ topic, group }: BroadcastSpec, shard: number, entry: BroadcastEntry): Delivery {
  const { queue, entryId, message, readyAt } = entry;
  const place = { topic, group, shard, queue, source: 'queue' as const, entryId, consumer: '' };
  // Handed over once, to this process: nobody can hold a greater fence.
  return { ...place, state: FIRST_DELIVERY, message, readyAt, fence: readyAt, leaseUntil: Infinity };
}
