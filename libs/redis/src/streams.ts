// The streams a group reads in one shard, and the deliveries that come out of them.
import type { Delivery, RetryState, Subscription } from '@millrace/core';
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

  /** In `streams`; of what lies in a stream. */
  placeOf({ source, queue }: Delivery): number {
    return source === 'queue' ? queue : this.subscription.queuesPerShard + queue;
  }

  keyOf(delivery: Delivery): string {
    if (delivery.source === 'parked') return this.group.parkedMessages(delivery.queue);
    return delivery.source === 'queue' ? this.keys.queue(delivery.queue) : this.group.retries(delivery.queue);
  }

  /**
   * @param leaseStart monotonic ms taken before the read was sent: the lease cannot have begun earlier
   * @param note crashes and fence noted on the entry, when it has a note
   */
  delivery(
    stream: Pick<GroupStream, 'source' | 'queue'>,
    raw: RawEntry,
    leaseStart: number,
    note?: EntryNote,
  ): NotedDelivery {
    const { entryId, message, state, fencedBy, writtenAt, readyAt } = decodeEntry(raw);
    const noted = note?.noted;
    const { topic, group, consumer, leaseMs } = this.subscription;
    return {
      topic,
      group,
      shard: this.shard,
      queue: stream.queue,
      source: stream.source,
      entryId,
      consumer,
      state: withCrashes(state, noted),
      message,
      // A retry may be handed out in the very ms in which it was stored.
      fence: Math.max(note?.fence ?? writtenAt, fencedBy + 1),
      readyAt,
      isReplayed: note?.isReplayed,
      leaseUntil: leaseStart + leaseMs,
      noted,
    };
  }
}

/** Crashes of earlier entries of the message are in its state, those of this entry on its note. */
export function withCrashes(state: RetryState, noted: number | undefined): RetryState {
  return noted ? { ...state, crashes: state.crashes + noted } : state;
}
