// The storage port. Everything is a batch, because a batch is what Redis is fast at. Every promise is written at its
// method; `libs/testing`'s contract suite checks the same promises on every implementation.
import type { BroadcastReader } from './broadcast/broadcast-reader.js';
import type { BrokerAdmin } from './broker-admin.js';
import type { Delivery, QueueLease, Settlement, SettleResult } from './consumer/delivery.js';
import type { GroupSpec, Subscription } from './consumer/subscription.js';
import type { GroupControl } from './control/group-control.js';
import type { DeadLetterFeed } from './dead-letter/dead-letter-feed.js';
import type { OnceRecords } from './idempotency/once-records.js';
import type { HalfMessages } from './half/half-messages.js';
import type { OutgoingMessage } from './message/message.js';
import type { CancelResult, MessageRef, RescheduleResult, SendResult } from './producer/receipt.js';
import type { ScheduleStore } from './schedule/schedule-store.js';
import type { TopicSettings, TopicSpec } from './topic.js';

export interface ReceiveOptions {
  /** About how many deliveries are wanted; an implementation may exceed it by one read's rounding. */
  max: number;
  /** How long to wait for the first one, in ms; 0 does not wait. */
  waitMs: number;
  /** Aborting ends the wait; what was already leased is still returned, never dropped. */
  signal?: AbortSignal;
  /** Ordered mode: the queues this consumer owns. Entries of other queues are never returned. */
  leases?: readonly QueueLease[];
}

export interface PromoteResult {
  /** Messages made ready by this call. */
  promoted: number;
  /** Time until the next due message of this shard on the broker's clock, in ms; undefined when none is scheduled. */
  nextDueInMs?: number;
}

/** What is wrong with a server, by a stable code; docs/durability.md says what each means and what to do. */
export interface BrokerWarning {
  readonly code:
    | 'eviction'
    | 'no-persistence'
    | 'server-version'
    | 'clock-difference'
    | 'replica'
    | 'cluster-mode'
    | 'not-checked';
  readonly text: string;
}

/** What a `Broker` calls back; all optional, never awaited. */
export interface BrokerListener {
  /** A message of `topic`/`shard` was scheduled (delay or retry) by this process, due in about `dueInMs`. */
  onScheduled?(topic: string, shard: number, dueInMs: number): void;
  /** Something about the server endangers messages; told once per connection, beside the first calls. */
  onWarning?(warning: BrokerWarning): void;
}

export interface Broker {
  /** Names the one who is told of scheduled messages; a later call replaces the former. */
  listen(listener: BrokerListener): void;

  /** The broker's clock as this process knows it, Unix ms; rather a little late than early, so that nothing expires early. */
  now(): number;

  /** Creates the topic with these settings, or reads the stored ones. Idempotent. Throws TopicError on a conflict. */
  declareTopic(spec: TopicSpec): Promise<TopicSettings>;

  /**
   * Registers the group (declared: trimming respects it), its start position and the tags of this consumer. Idempotent;
   * never moves a group.
   */
  subscribe(spec: GroupSpec): Promise<Subscription>;

  /**
   * Stores each message or says why not; one result per message, order kept. A lost reply neither doubles nor loses.
   * A topic with `maxLength` refuses what it has no room for (`MQ_TOPIC_FULL`), or makes room (`drop-oldest`): the groups
   * that are behind lose their oldest unsettled messages, and who holds one of them is told `lease-lost`.
   */
  send(batch: readonly OutgoingMessage[]): Promise<SendResult[]>;

  /** Removes a message that is still scheduled. The answer is final and survives a lost reply. */
  cancel(topic: string, ref: MessageRef): Promise<CancelResult>;

  /** Moves the due time of a message that is still scheduled. Past instants mean now. */
  reschedule(topic: string, ref: MessageRef, due: { delayMs: number } | { atMs: number }): Promise<RescheduleResult>;

  /**
   * Leases ready messages of one shard to this consumer; the lease starts with the read. When an earlier reply may have
   * been lost, everything pending for this consumer is returned again: the caller passes over what it has in flight.
   */
  receive(subscription: Subscription, shard: number, options: ReceiveOptions): Promise<Delivery[]>;

  /**
   * Notes that the handlers of these deliveries start now, so that a crash can be told from a hand-back.
   * Called just before the handler; not awaited by the consumer: a note that is lost with the process only means
   * that this one crash is not counted.
   */
  markStarted(deliveries: readonly Delivery[]): Promise<void>;

  /**
   * Ends each delivery, if it is still ours: exactly one settlement takes effect. `lease-lost` wrote nothing. A skip
   * of a tag that somebody of the group registered is refused as `wanted`: nothing was written, it is still ours.
   */
  settle(items: readonly { delivery: Delivery; settlement: Settlement }[]): Promise<SettleResult[]>;

  /**
   * Prolongs the leases by the group's lease time; returns those that are still ours. In ordered mode only that is answered:
   * the lease of the queue is theirs, and `QueueLeases.acquire` prolongs it.
   */
  renew(deliveries: readonly Delivery[]): Promise<Delivery[]>;

  /**
   * Takes over deliveries of this shard whose lease expired; their `crashes` says how often a started handler died.
   * Own deliveries that were renewed too late are among them: the caller passes over what it has in flight.
   */
  reclaim(subscription: Subscription, shard: number, options: { max: number }): Promise<Delivery[]>;

  /** Makes due messages of one shard ready (delayed ones, and retries of every declared group), in due order. */
  promote(topic: string, shard: number, options: { max: number }): Promise<PromoteResult>;

  /**
   * Removes what every declared group has finished and retention in time, number and bytes does not keep; never what a
   * declared group has not finished. While no group is declared: nothing, unless the topic is read by broadcast; then
   * retention alone decides. Retried messages that are done and dead letters beyond their limits go too. Returns the
   * number of removed entries.
   */
  trim(topic: string): Promise<number>;

  /** Ends waits, answers what is in flight, closes every connection. Idempotent. */
  close(): Promise<void>;
}

/** Ordered mode: who owns which queue. Separate port, because concurrent groups never need it. */
export interface QueueLeases {
  /** Says that `member` is alive and returns all live members of the group, sorted. */
  join(subscription: Subscription, member: string): Promise<string[]>;
  /** Takes or prolongs the lease of a queue; undefined while another member holds it. A new owner gets a higher epoch. */
  acquire(subscription: Subscription, shard: number, queue: number, member: string): Promise<QueueLease | undefined>;
  /** Gives the queue up, if it is still ours. */
  release(lease: QueueLease): Promise<void>;
  /** Removes the member; others need not wait for its heartbeat to run out. */
  leave(subscription: Subscription, member: string): Promise<void>;
}

/** What one connection to a broker offers; the Redis and the in-memory implementation both come as one. */
export interface BrokerPorts {
  readonly broker: Broker;
  readonly leases: QueueLeases;
  readonly control: GroupControl;
  readonly broadcast: BroadcastReader;
  readonly admin: BrokerAdmin;
  readonly deadLetters: DeadLetterFeed;
  /** Needed by idempotent listeners only. */
  readonly once?: OnceRecords;
  /** Recurring messages; a broker may do without. */
  readonly schedules?: ScheduleStore;
  /** Absent: the broker has no transactional messages. */
  readonly half?: HalfMessages;
}
