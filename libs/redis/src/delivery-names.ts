// How a delivery is named in the hash of started deliveries, and in calls about many of them.
import type { Delivery, QueueLease } from '@millrace/core';
import type { GroupShard } from './streams.js';

/** Holds what a replay put back until a member takes it over. */
export const REPLAY_CONSUMER = 'replay';

/** Entries of an ordered queue stay under one name, whoever owns the queue: nothing has to be claimed at a take-over. */
export const ORDERED_CONSUMER = 'o';

const MARKS = { queue: 'q', retry: 'r', parked: 'p' } as const;

/** `q` = the topic's queue, `r` = the group's retry stream, `p` = its parked keys; then the queue: notes never collide. */
export function fieldPrefix(source: Delivery['source'], queue: number): string {
  return `${MARKS[source]}${queue}:`;
}

/** Names the hand-over: in the entry id of a message of a parked key the number of the take comes first. */
export function fieldOf(delivery: Pick<Delivery, 'source' | 'queue' | 'entryId'>): string {
  return fieldPrefix(delivery.source, delivery.queue) + delivery.entryId;
}

/** A delivery as this library makes it. */
export interface NotedDelivery extends Delivery {
  /** Crashes noted on the entry itself; undefined while the entry has no note. */
  noted?: number;
}

/** Where a consumer notes up to which entry of a stream its handlers have started. */
export function markField(consumer: string, delivery: Pick<Delivery, 'source' | 'queue'>): string {
  return `w:${consumer}:${fieldPrefix(delivery.source, delivery.queue)}`;
}

/** The name under which the delivery is pending in Redis. */
export function pendingName({ consumer, epoch }: Delivery): string {
  return epoch === undefined ? consumer : ORDERED_CONSUMER;
}

export function leaseText({ queue, member, epoch }: Pick<QueueLease, 'queue' | 'member' | 'epoch'>): string {
  return `${queue} ${member} ${epoch}`;
}

/** The streams of a call about many deliveries: named once, spoken of by position, each with the lease it is read under. */
export class CallStreams {
  readonly keys: string[] = [];
  /** '' in concurrent mode. */
  readonly leases: string[] = [];
  /** Ordered mode: of each stream's queue the keys of what is parked. */
  readonly parked: string[] = [];
  /** By place, then by epoch: what came late of an ownership that is over must not decide for what came under the new one. */
  private readonly positions: Map<number | undefined, number>[] = [];

  constructor(private readonly shard: GroupShard) {}

  /** Counted from 1. */
  position(delivery: Delivery): number {
    const { epoch, queue, consumer } = delivery;
    const ofPlace = (this.positions[this.shard.placeOf(delivery)] ??= new Map());
    const known = ofPlace.get(epoch);
    if (known !== undefined) return known;
    const position = this.keys.push(this.shard.keyOf(delivery));
    this.leases.push(epoch === undefined ? '' : leaseText({ queue, epoch, member: consumer }));
    if (epoch !== undefined) this.parked.push(...this.shard.group.parked(queue));
    ofPlace.set(epoch, position);
    return position;
  }
}

/** Ids are `<ms>-<sequence>`: numbers, so neither text order nor length decides. */
export function isEarlier(a: string, b: string): boolean {
  const dash = a.indexOf('-');
  if (dash !== b.indexOf('-')) return dash < b.indexOf('-');
  // As many digits before and behind the dash: then text order does decide, and nothing has to be cut.
  if (a.length === b.length) return a < b;
  const [ms, otherMs] = [a.slice(0, dash), b.slice(0, dash)];
  return ms === otherMs ? a.length < b.length : ms < otherMs;
}

/** Sorts by the entries' ids, in place. They mostly are in order. */
export function inOrder<Item>(items: Item[], entryOf: (item: Item) => string): void {
  if (items.some((item, at) => at > 0 && isEarlier(entryOf(item), entryOf(items[at - 1]!))))
    items.sort((a, b) => (isEarlier(entryOf(a), entryOf(b)) ? -1 : 1));
}
