// Ordered mode: takes and keeps the queues that fall to this consumer, and gives up those that no longer do.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { QueueLeases } from '../broker.js';
import type { Clock } from '../clock.js';
import type { QueueLease } from '../consumer/delivery.js';
import type { ReadableQueues } from '../consumer/fetcher.js';
import type { HeldDelivery } from '../consumer/held-delivery.js';
import type { Subscription } from '../consumer/subscription.js';
import { assignQueues } from './assignment.js';
import type { QueueLanes } from './queue-lanes.js';

export interface QueueOwnerParts {
  readonly leases: QueueLeases;
  readonly clock: Clock;
  readonly subscription: Subscription;
  /** For errors and health: topic and group. */
  readonly name: string;
  /** @param leftRunning handlers that still run under a former lease, by ordering key */
  readonly createLanes: (lease: QueueLease, leftRunning: ReadonlyMap<string, HeldDelivery>) => QueueLanes;
  readonly onError: OnLoopError;
}

const MAX_EVERY_MS = 5000;
/** While a queue of ours is still another member's, being drained there: the first pause, doubling. */
const FIRST_TAKE_OVER_MS = 125;

/**
 * One pass: say that we live, compute who gets what, give up, renew and take. A queue is released only when none of its
 * handlers runs: until then nobody else can own it. What it leaves unsettled the next owner reads first, in order.
 */
export class QueueOwner extends BackgroundLoop implements ReadableQueues {
  private readonly owned = new Map<number, QueueLanes>();
  private readonly leftRunning = new Map<number, ReadonlyMap<string, HeldDelivery>>();
  /** Given up here; that they are released is not sure yet. Taken again before, their epoch would be the same. */
  private readonly unreleased = new Map<number, QueueLease>();
  private readonly changes: AbortController[];
  private readonly everyMs: number;
  private takeOverMs = FIRST_TAKE_OVER_MS;
  private isRetiring = false;
  private hasLeft = false;

  constructor(private readonly parts: QueueOwnerParts) {
    const everyMs = Math.min(MAX_EVERY_MS, parts.subscription.leaseMs / 3);
    super({
      name: `own ${parts.name}`,
      everyMs,
      maxErrorDelayMs: parts.subscription.leaseMs / 3,
      pass: () => this.rebalance(),
      onError: parts.onError,
      clock: parts.clock,
      isIdle: () => this.hasAllAtRest,
    });
    this.everyMs = everyMs;
    this.changes = Array.from({ length: parts.subscription.shards }, () => new AbortController());
  }

  leases(shard: number): QueueLease[] {
    const readable = [...this.owned.values()].filter((lanes) => this.isReadable(lanes));
    return readable.map(({ lease }) => lease).filter((lease) => lease.shard === shard);
  }

  changed(shard: number): AbortSignal {
    return this.changes[shard]!.signal;
  }

  /** The lanes that a delivery belongs to; undefined when it was read under a lease that we have no more. */
  lanesOf({ shard, queue, epoch }: { shard: number; queue: number; epoch?: number }): QueueLanes | undefined {
    const lanes = this.owned.get(this.globalQueue(shard, queue));
    return lanes?.lease.epoch === epoch ? lanes : undefined;
  }

  /** A read of the shard is about to be asked for. */
  beforeRead(shard: number): void {
    for (const lanes of this.owned.values()) if (lanes.lease.shard === shard) lanes.beforeRead();
  }

  /** From now on queues are only given up: each as soon as none of its handlers runs. */
  retire(): void {
    this.isRetiring = true;
    this.wakeIn(0);
  }

  /** Gives everything up, whatever still runs: its settlements will be refused. */
  async leave(): Promise<void> {
    this.isRetiring = true;
    await this.stop();
    for (const [queue, lanes] of this.owned) {
      this.close(queue, lanes);
      this.unreleased.set(queue, lanes.lease);
    }
    const { name, onError } = this.parts;
    const released = [...this.unreleased.keys()].map((queue) => this.release(queue));
    const answers = await Promise.allSettled([...released, this.leaveMembers()]);
    for (const answer of answers) if (answer.status === 'rejected') onError(answer.reason, `leave ${name}`);
  }

  /** First of all, so that the others take over what is released while the rest still drains. */
  private async leaveMembers(): Promise<void> {
    if (this.hasLeft) return;
    const { leases, subscription } = this.parts;
    await leases.leave(subscription, subscription.consumer);
    this.hasLeft = true;
  }

  private async rebalance(): Promise<number | void> {
    const mine = await this.assigned();
    const queues = new Set([...this.owned.keys(), ...this.unreleased.keys(), ...mine]);
    const answers = await Promise.allSettled([...queues].map((queue) => this.tend(queue, mine.has(queue))));
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
    const isComplete = [...mine].every((queue) => this.owned.has(queue));
    this.takeOverMs = isComplete ? FIRST_TAKE_OVER_MS : Math.min(this.everyMs, this.takeOverMs * 2);
    return isComplete ? this.everyMs : this.takeOverMs;
  }

  private async assigned(): Promise<ReadonlySet<number>> {
    const { leases, subscription } = this.parts;
    const { consumer, shards, queuesPerShard } = subscription;
    if (this.isRetiring) {
      await this.leaveMembers();
      return new Set();
    }
    const members = await leases.join(subscription, consumer);
    return new Set(assignQueues(shards * queuesPerShard, members).get(consumer));
  }

  private async tend(queue: number, isMine: boolean): Promise<void> {
    await this.release(queue);
    const lanes = this.owned.get(queue);
    if (!lanes && !isMine) return;
    // A handler that hangs keeps its key blocked, and so the queue: its other keys must go on here meanwhile.
    const mayRun = !lanes?.isBroken && !this.isRetiring && (isMine || lanes?.hasStalled === true);
    if (lanes && !mayRun) this.endStarts(lanes);
    if (lanes && !mayRun && !lanes.isBusy) return this.giveUp(queue, lanes);
    const lease = await this.acquire(queue);
    const current = this.owned.get(queue);
    if (current && current.lease.epoch !== lease?.epoch) this.close(queue, current);
    if (lease && !this.owned.has(queue)) this.open(queue, lease);
    else if (lease && current) this.renewed(current, lease, mayRun);
  }

  private renewed(lanes: QueueLanes, lease: QueueLease, mayRun: boolean): void {
    const wasReadable = this.isReadable(lanes);
    lanes.lease.until = lease.until;
    if (mayRun) lanes.resume();
    if (!wasReadable && this.isReadable(lanes)) this.announce(lease.shard);
  }

  private isReadable({ isPaused, lease }: QueueLanes): boolean {
    return !isPaused && this.parts.clock.monotonic() < lease.until;
  }

  private acquire(queue: number): Promise<QueueLease | undefined> {
    const { leases, subscription } = this.parts;
    const shard = Math.floor(queue / subscription.queuesPerShard);
    return leases.acquire(subscription, shard, queue % subscription.queuesPerShard, subscription.consumer);
  }

  private open(queue: number, lease: QueueLease): void {
    this.owned.set(queue, this.parts.createLanes(lease, this.leftRunning.get(queue) ?? new Map()));
    this.announce(lease.shard);
  }

  private endStarts(lanes: QueueLanes): void {
    if (lanes.isPaused) return;
    lanes.pause();
    this.announce(lanes.lease.shard);
  }

  /** What was not settled stays with the broker; releasing forces a new epoch, under which it is read again. */
  private giveUp(queue: number, lanes: QueueLanes): Promise<void> {
    this.close(queue, lanes);
    this.unreleased.set(queue, lanes.lease);
    return this.release(queue);
  }

  private async release(queue: number): Promise<void> {
    const lease = this.unreleased.get(queue);
    if (!lease) return;
    await this.parts.leases.release(lease);
    this.unreleased.delete(queue);
  }

  private close(queue: number, lanes: QueueLanes): void {
    this.owned.delete(queue);
    this.leftRunning.set(queue, lanes.close());
    this.announce(lanes.lease.shard);
  }

  /** There is no other member, and no handler runs: the leases may run out and be taken anew. */
  private get hasAllAtRest(): boolean {
    const { shards, queuesPerShard } = this.parts.subscription;
    const lanes = [...this.owned.values()];
    return !this.isRetiring && lanes.length === shards * queuesPerShard && lanes.every(({ isBusy }) => !isBusy);
  }

  /** Ends a read that goes by the former leases. */
  private announce(shard: number): void {
    const before = this.changes[shard]!;
    this.changes[shard] = new AbortController();
    before.abort();
  }

  private globalQueue(shard: number, queue: number): number {
    return shard * this.parts.subscription.queuesPerShard + queue;
  }
}
