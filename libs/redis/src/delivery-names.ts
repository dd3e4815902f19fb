// How a delivery is named in the hashes of started and held deliveries, and in calls about many of them.
import type { Delivery, QueueLease } from '@millrace/core';
import type { GroupShard } from './streams.js';

/** Entries of an ordered queue stay under one name, whoever owns the queue: nothing has to be claimed at a take-over. */
const ORDERED_CONSUMER = 'o';

/** `q` = the topic's queue, `r` = the group's retry stream; then the queue, so that notes of both never collide. */
export function fieldPrefix(source: Delivery['source'], queue: number): string {
  return `${source === 'queue' ? 'q' : 'r'}${queue}:`;
}

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
  private readonly positions = new Map<string, number>();

  constructor(private readonly shard: GroupShard) {}

  position(delivery: Delivery): number {
    const key = this.shard.keyOf(delivery);
    const known = this.positions.get(key);
    if (known !== undefined) return known;
    const { epoch, queue, consumer } = delivery;
    this.keys.push(key);
    this.leases.push(epoch === undefined ? '' : leaseText({ queue, epoch, member: consumer }));
    this.positions.set(key, this.keys.length);
    return this.keys.length;
  }
}
