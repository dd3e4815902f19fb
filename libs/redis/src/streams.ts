// The streams a group reads in one shard, and the deliveries that come out of them.
import type { Delivery, QueueLease, RetryState, Subscription } from '@millrace/core';
import type { NotedDelivery } from './delivery-names.js';
import type { EntryNote } from './entry-note.js';
import { decodeEntry, type RawEntry } from './entry-codec.js';
import type { GroupKeys, ShardKeys } from './keys.js';
import { retryQueues } from './topics.js';

export interface GroupStream {
  readonly key: string;
  readonly source: Delivery['source'];
  readonly queue: number;
}

/** One group in one shard: its keys and streams, worked out once. */
export class GroupShard {
  readonly group: GroupKeys;
  readonly streams: readonly GroupStream[];
  private readonly byKey: ReadonlyMap<string, GroupStream>;

  constructor(
    readonly subscription: Subscription,
    readonly shard: number,
    readonly keys: ShardKeys,
  ) {
    this.group = keys.group(subscription.group);
    const queues = Array.from({ length: subscription.queuesPerShard }, (_, queue) => queue);
    this.streams = [
      ...queues.map((queue): GroupStream => ({ key: keys.queue(queue), source: 'queue', queue })),
      ...retryQueues(subscription.mode, subscription.queuesPerShard).map((queue): GroupStream => ({
        key: this.group.retries(queue),
        source: 'retry',
        queue,
      })),
    ];
    this.byKey = new Map(this.streams.map((stream) => [stream.key, stream]));
  }

  stream(key: string): GroupStream {
    return this.byKey.get(key)!;
  }

  /** Where it comes from, as a small number: its place in `streams`, or behind them when it was parked. */
  placeOf({ source, queue }: Delivery): number {
    const { queuesPerShard } = this.subscription;
    if (source === 'queue') return queue;
    return source === 'retry' ? queuesPerShard + queue : 2 * queuesPerShard + queue;
  }

  keyOf(delivery: Delivery): string {
    if (delivery.source === 'parked') return this.group.parkedMessages(delivery.queue);
    return delivery.source === 'queue' ? this.keys.queue(delivery.queue) : this.group.retries(delivery.queue);
  }

  /**
   * @param lease how long it is surely ours, on the monotonic clock (ms); ordered mode: under which epoch
   * @param note crashes and fence noted on the entry, when it has a note
   */
  delivery(
    stream: Pick<GroupStream, 'source' | 'queue'>,
    raw: RawEntry,
    lease: Pick<QueueLease, 'until'> & { readonly epoch?: number },
    note?: EntryNote,
  ): NotedDelivery {
    const { entryId, message, state, fencedBy, writtenAt, readyAt } = decodeEntry(raw);
    const noted = note?.noted;
    const { topic, group, consumer } = this.subscription;
    return {
      topic,
      group,
      shard: this.shard,
      queue: stream.queue,
      source: stream.source,
      entryId,
      consumer,
      epoch: lease.epoch,
      state: withCrashes(state, noted),
      message,
      // A retry may be handed out in the very ms in which it was stored.
      fence: Math.max(note?.fence ?? writtenAt, fencedBy + 1),
      readyAt,
      isReplayed: note?.isReplayed,
      leaseUntil: lease.until,
      noted,
    };
  }
}

/** Crashes of earlier entries of the message are in its state, those of this entry on its note. */
export function withCrashes(state: RetryState, noted: number | undefined): RetryState {
  return noted ? { ...state, crashes: state.crashes + noted } : state;
}
