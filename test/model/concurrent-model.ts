// A concurrent group: any member may take what is ready, under a lease of its own for each delivery.
import { GroupModel, without, type Answer, type Lease } from './group-model.js';
import { LEASE_MS } from './shape.js';
import type { HandOver, Travelling, Verdict } from './travelling.js';

interface TimedLease extends Lease {
  until: number;
}

export class ConcurrentModel extends GroupModel<TimedLease> {
  override retryStream({ place }: Travelling): string {
    return `r${place.shard}`;
  }

  readyIn(shard: number): number {
    return this.in([...new Set(this.streamsOf(shard))]).length;
  }

  /** Takes a message that a read has brought; undefined when it should not have come now. */
  take(stream: string, id: string, key: string, owner: string): Travelling | undefined {
    const ready = this.streams.get(stream) ?? [];
    const entry = ready.find(({ message, rank }) => message.id === id && rank === ready[0]!.rank);
    if (!entry) return undefined;
    this.streams.set(stream, without(ready, entry));
    this.leased.set(key, { entry, owner, started: false, until: this.steps.now + LEASE_MS });
    this.handed.push({ key, owner, epoch: 0 });
    return entry.message;
  }

  isOwned({ key, owner }: HandOver): boolean {
    return this.leased.get(key)?.owner === owner;
  }

  /** Every handler of the member starts. */
  start(owner: string): string[] {
    const held = [...this.leased].filter(([, lease]) => lease.owner === owner);
    for (const [, lease] of held) lease.started = true;
    return held.map(([key]) => key);
  }

  renew(handOver: HandOver): boolean {
    if (!this.isOwned(handOver)) return false;
    this.leased.get(handOver.key)!.until = this.steps.now + LEASE_MS;
    return true;
  }

  /** What the owner still holds is renewed by it all the time. */
  renewAll(owner: string): string[] {
    return [...this.leased].filter(([, lease]) => lease.owner === owner).map(([key]) => key);
  }

  isAnyExpired(shard: number): boolean {
    return this.expiredIn(shard).length > 0;
  }

  /** Takes over every expired lease of the shard: a crash, if the handler had started. */
  reclaim(shard: number, owner: string): Map<string, Travelling> {
    const taken = new Map<string, Travelling>();
    for (const [key, lease] of this.expiredIn(shard)) {
      const { message } = lease.entry;
      lease.entry.message = { ...message, crashes: message.crashes + (lease.started ? 1 : 0) };
      Object.assign(lease, { owner, started: false, until: this.steps.now + LEASE_MS });
      this.handed.push({ key, owner, epoch: 0 });
      taken.set(key, lease.entry.message);
    }
    return taken;
  }

  settle(handOver: HandOver, verdict: Verdict, index: number): Answer {
    if (!this.isOwned(handOver)) return 'lease-lost';
    const { entry } = this.leased.get(handOver.key)!;
    this.leased.delete(handOver.key);
    this.end(entry, verdict, index);
    return 'settled';
  }

  counts(): { ready: number; leased: number; retrying: number; parked: number } {
    const ready = this.in([...this.streams.keys()]).length;
    return { ready, leased: this.leased.size, retrying: this.retrying.length, parked: 0 };
  }

  backlog(shard: number): number {
    const isHere = ({ message }: { message: Travelling }): boolean => message.place.shard === shard;
    const leased = [...this.leased.values()].filter(({ entry }) => isHere(entry));
    return this.readyIn(shard) + leased.length + this.retrying.filter(isHere).length;
  }

  protected dropParked(): void {
    throw new Error('a concurrent group has no parked keys');
  }

  protected retryStreamOf(_queue: number, shard: number): string {
    return `r${shard}`;
  }

  private expiredIn(shard: number): [string, TimedLease][] {
    const { now } = this.steps;
    return [...this.leased].filter(([, { until, entry }]) => until <= now && entry.message.place.shard === shard);
  }
}
