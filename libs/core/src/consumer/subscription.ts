// Who consumes what: one group on one topic.

/** What a group asks for. */
export interface GroupSpec {
  readonly topic: string;
  readonly group: string;
  readonly mode: ConsumeMode;
  /** Unique per consumer and boot; leases are held under it. */
  readonly consumer: string;
  /** How long a delivery is ours without renewal, in ms. Stored with the group; the stored value wins. */
  readonly leaseMs: number;
  /** Where a new group starts. An existing group is never moved. */
  readonly startFrom: 'first' | 'last' | Date;
  /**
   * Tags that this consumer takes; `['*']` = all. Registered for the group: what another member registered is not
   * skipped here. @default registers none
   */
  readonly tags?: readonly string[];
}

export type ConsumeMode = 'concurrent' | 'ordered';

/** The registered group, with what is stored for it. */
export interface Subscription extends GroupSpec {
  readonly shards: number;
  /** Queues per shard. */
  readonly queuesPerShard: number;
  /** The topic's time to live in ms; absent: messages without one of their own do not expire. */
  readonly ttlMs?: number;
}
