// What is stored for one consumer group of a topic.
import type { ConsumeMode, DeadLetter, Delivery, GroupSpec, Pause, RetryState } from '@millrace/core';
import { DueStore } from './due-store.js';
import type { Entry, EntryStream } from './entry-stream.js';
import { GroupShares } from './group-shares.js';
import type { ParkedKey, ParkedMessage } from './parked-key.js';
import type { Shard } from './shard.js';

/** A retried, released or redriven message on its way back to the group. */
export interface RetryEntry extends Entry {
  /** Queue that the message was first sent to; decides the owner in ordered mode. */
  readonly queue: number;
  readonly state: RetryState;
  /** When the message first became ready for the group; `readyAt` of the entry when this is absent. */
  readonly firstReadyAt?: number;
}

/** A leased entry: delivered and not settled. */
export interface PendingEntry {
  readonly entryId: string;
  readonly source: Delivery['source'];
  readonly queue: number;
  readonly entry: Entry;
  /** Where it is kept, when it was handed out of a parked key. */
  readonly parked?: ParkedMessage;
  consumer: string;
  /** Ordered mode: the queue epoch it was handed out under. */
  epoch?: number;
  /** Concurrent mode: when the lease expires; Unix ms of the store's clock. */
  leaseUntil: number;
  /** Its handler has begun: an expiry from here on is a crash. */
  started: boolean;
  readonly firstReadyAt: number;
  /** Its latest hand-over was out of a replay. */
  isReplayed?: boolean;
  state: RetryState;
}

/** A dead letter, and where its message returns to when it is redriven. */
export interface BuriedMessage {
  letter: DeadLetter;
  readonly shard: number;
  readonly queue: number;
}

/** Ordered mode: who owns a queue. The epoch stays when the owner goes, so that it can only grow. */
export interface QueueOwner {
  member?: string;
  epoch: number;
  /** Unix ms of the store's clock. */
  until: number;
}

/** A pause as it was ordered; whether it is in force is asked of the clock. */
export type Ordered = Omit<Pause, 'scope'>;

export class GroupShard {
  /** Per queue: position of the last delivered entry. */
  readonly cursors: number[];
  /** By entry id. */
  readonly pending = new Map<string, PendingEntry>();
  readonly retries = new DueStore<Omit<RetryEntry, 'position' | 'readyAt'>>();
  /** The group's retry stream: ready again, oldest first. */
  readonly retryReady: RetryEntry[] = [];
  readonly owners: QueueOwner[];
  /** Ordered mode: per queue the parked keys. */
  readonly parked: readonly Map<string, ParkedKey>[];
  /** Where the next concurrent read begins, so that no stream is starved by its neighbours. */
  nextStream = 0;

  /** Whether the message waits for its next attempt, or with its parked key. */
  waitsFor(queue: number, { message, position }: Entry): boolean {
    const parked = this.parked[queue]!.get(message.orderingKey);
    if (parked?.messages.some(({ entry, source }) => source === 'queue' && entry.position === position)) return true;
    return this.retries.some((retry) => retry.message.messageId === message.messageId);
  }

  constructor(queues: readonly EntryStream[], startFrom: GroupSpec['startFrom']) {
    this.cursors = queues.map((queue) => {
      if (startFrom === 'first') return 0;
      return startFrom === 'last' ? queue.lastPosition : queue.cursorAt(startFrom.getTime());
    });
    this.parked = queues.map(() => new Map<string, ParkedKey>());
    this.owners = queues.map(() => ({ epoch: 0, until: 0 }));
  }
}

export class StoredGroup {
  readonly name: string;
  readonly mode: ConsumeMode;
  readonly leaseMs: number;
  readonly shards: readonly GroupShard[];
  /** Oldest first. */
  dead: BuriedMessage[] = [];
  /** Name → from when it may be given out, Unix ms of the store's clock; undefined until somebody wants to be told. */
  untold?: Map<string, number>;
  /** Ordered mode: members and when they were last heard of; Unix ms of the store's clock. */
  readonly members = new Map<string, number>();
  /** Latest sign of life of each consumer; Unix ms of the store's clock. */
  readonly live = new Map<string, { at: number; tags: readonly string[] }>();
  /** When each tag was last registered; `*` = all. */
  readonly tags = new Map<string, number>();
  pause?: Ordered;
  readonly shares = new GroupShares();
  /** Latest sign of life of any member; Unix ms of the store's clock. */
  seenAt: number | undefined;
  /** That it is idle was told. */
  idleTold = false;
  /** When a replay last began; Unix ms of the store's clock. */
  replayedAt?: number;
  done = 0;
  skipped = 0;
  expired = 0;
  dropped = 0;
  purged = 0;
  replayed = 0;
  passed = 0;

  constructor(spec: GroupSpec, shards: readonly Shard[]) {
    this.name = spec.group;
    this.mode = spec.mode;
    this.leaseMs = spec.leaseMs;
    this.shards = shards.map((shard) => new GroupShard(shard.queues, spec.startFrom));
  }

  /** Removes dead letters, also from what listeners are still to be told. */
  forget(letters: readonly BuriedMessage[]): void {
    const leaving = new Set(letters);
    this.dead = this.dead.filter((buried) => !leaving.has(buried));
    for (const { letter } of letters) this.untold?.delete(letter.name);
  }
}
