// Calls about many deliveries go to the consumer of each: one group, as one process reads it in one shard.
import type { Delivery } from '@millrace/core';

export const consumerName = ({
  topic,
  shard,
  group,
  consumer,
}: Pick<Delivery, 'topic' | 'shard' | 'group' | 'consumer'>): string => `${topic} ${shard} ${group} ${consumer}`;

interface OfConsumer<Item> {
  readonly one: Delivery;
  readonly all: readonly Item[];
  /** Their places in the whole. */
  readonly indexes: readonly number[];
}

export function byConsumer<Item>(items: readonly Item[], deliveryOf: (item: Item) => Delivery): OfConsumer<Item>[] {
  if (items.length === 0) return [];
  const one = deliveryOf(items[0]!);
  // The usual case, without a name put together for each of many.
  if (items.every((item) => isSameConsumer(one, deliveryOf(item)))) return [{ one, all: items, indexes: [] }];
  const parts = new Map<string, { one: Delivery; all: Item[]; indexes: number[] }>();
  for (const [index, item] of items.entries()) {
    const delivery = deliveryOf(item);
    const name = consumerName(delivery);
    let part = parts.get(name);
    if (!part) parts.set(name, (part = { one: delivery, all: [], indexes: [] }));
    part.all.push(item);
    part.indexes.push(index);
  }
  return [...parts.values()];
}

function isSameConsumer(a: Delivery, b: Delivery): boolean {
  return a.shard === b.shard && a.consumer === b.consumer && a.group === b.group && a.topic === b.topic;
}
