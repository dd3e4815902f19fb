// An ordered group: a queue has one owner at a time; what fails waits at the broker with everything behind it of its key.
import { farMs, GroupModel, without, type Answer, type Lease } from './group-model.js';
import { ParkedKey, type KeyState } from './parked-key.js';
import { LEASE_MS, queuesOf } from './shape.js';
import { later, type Entry, type HandOver, type Travelling, type Verdict } from './travelling.js';

interface Owner {
  member?: string;
  epoch: number;
  until: number;
}

interface OwnedLease extends Lease {
  epoch: number;
  readonly stream: string;
  /** It was handed out of a parked key. */
  readonly parked?: ParkedKey;
}

type Parking = Exclude<Verdict, { type: 'ack' | 'dead-letter' }>;

export class OrderedModel extends GroupModel<OwnedLease> {
  readonly keys = new Map<string, ParkedKey>();
  readonly owners: readonly Owner[] = Array.from({ length: this.shape.queues }, () => ({ epoch: 0, until: 0 }));

  override retryStream({ place }: Travelling): string {
    return `r${place.queue}`;
  }

  /** Takes or prolongs the right to read the queue; false while another member has it. */
  acquire(member: string, queue: number): boolean {
    const owner = this.owners[queue]!;
    const isFree = owner.member === undefined || owner.until <= this.steps.now;
    if (owner.member !== member && !isFree) return false;
    if (isFree) owner.epoch++;
    owner.member = member;
    owner.until = this.steps.now + LEASE_MS;
    return true;
  }

  giveUp(member: string, epoch: number, queue: number): void {
    if (this.ownsQueue(member, epoch, queue)) this.owners[queue]!.member = undefined;
  }

  ownsQueue(member: string, epoch: number, queue: number): boolean {
    const owner = this.owners[queue]!;
    return owner.member === member && owner.epoch === epoch;
  }

  /** What the owner would be given of the queue. */
  receivable(queue: number): number {
    const { epoch } = this.owners[queue]!;
    const free = [...this.keys.values()].filter((key) => key.queue === queue && key.isFree(epoch)).length;
    return this.left(queue, epoch).length + this.unread(queue).length - this.behindParked(queue).length + free;
  }

  /** What lies in the streams, or is left of an earlier owner, behind a parked key: the next reads move it there. */
  behindParked(queue: number): Entry[] {
    const { epoch } = this.owners[queue]!;
    const left = this.left(queue, epoch).map(([, { entry }]) => entry);
    return [...left, ...this.unread(queue)].filter(({ message }) => this.keys.has(message.orderingKey));
  }

  /**
   * Takes a message that a read of the owner has brought: what an earlier owner left comes before what is new of its
   * stream. Undefined when it should not have come now.
   */
  take(stream: string, id: string, key: string, queue: number): Travelling | undefined {
    const { member, epoch } = this.owners[queue]!;
    const isOther = ({ message }: Entry): boolean => !this.keys.has(message.orderingKey);
    const left = this.left(queue, epoch).filter(([, lease]) => lease.stream === stream && isOther(lease.entry));
    const lease = this.leased.get(key);
    if (lease) {
      const first = left.toSorted(([, a], [, b]) => a.entry.rank - b.entry.rank)[0];
      if (first?.[1] !== lease || lease.entry.message.id !== id) return undefined;
      this.countCrash(lease);
      Object.assign(lease, { owner: member, epoch });
    } else {
      const ready = this.streams.get(stream) ?? [];
      const entry = ready.find(isOther);
      if (left.length > 0 || entry?.message.id !== id) return undefined;
      this.streams.set(stream, without(ready, entry));
      this.leased.set(key, { entry, owner: member!, epoch, started: false, stream });
    }
    this.handed.push({ key, owner: member!, epoch });
    return this.leased.get(key)!.entry.message;
  }

  /**
   * As `take`, for one out of a parked key: its first, then the next ones. What the same read moves there may be among
   * them.
   * @param begun keys of which this read has brought something
   */
  takeParked(id: string, parked: ParkedKey, key: string, begun: Set<ParkedKey>): Travelling | undefined {
    const { queue, out } = parked;
    const { member, epoch } = this.owners[queue]!;
    if (!begun.has(parked)) {
      if (!parked.isFree(epoch)) return undefined;
      begun.add(parked);
      for (const lease of this.leased.values()) if (lease.parked === parked) this.countCrash(lease);
      this.setState(parked, { type: 'taken', epoch });
    }
    const moving = this.behindParked(queue).filter(({ message }) => message.orderingKey === parked.orderingKey);
    const next = [...parked.members, ...moving].filter((one) => ![...out.values()].includes(one));
    const entry = next.find(({ message }) => message.id === id);
    if (!entry || next.some((one) => one.rank < entry.rank && parked.members.includes(one))) return undefined;
    if (moving.includes(entry)) this.move(entry);
    parked.out.set(key, entry);
    this.leased.set(key, { entry, owner: member!, epoch, started: false, stream: '', parked });
    this.handed.push({ key, owner: member!, epoch });
    return entry.message;
  }

  /** The owner has read all there is: what is behind a parked key waits with it now. */
  moveAll(queue: number): void {
    for (const entry of this.behindParked(queue)) this.move(entry);
  }

  isOwned({ key, owner, epoch }: HandOver): boolean {
    const lease = this.leased.get(key);
    return lease?.epoch === epoch && this.ownsQueue(owner, epoch, lease.entry.message.place.queue);
  }

  start(handOver: HandOver): void {
    if (this.isOwned(handOver)) this.leased.get(handOver.key)!.started = true;
  }

  renew(handOver: HandOver): boolean {
    return this.isOwned(handOver);
  }

  /** What its owner holds of the key, in order: only the first may run. */
  lane(queue: number, orderingKey: string): string[] {
    const { epoch } = this.owners[queue]!;
    const held = [...this.leased].filter(
      ([, lease]) => lease.epoch === epoch && lease.entry.message.orderingKey === orderingKey,
    );
    return held.toSorted(([, a], [, b]) => a.entry.rank - b.entry.rank).map(([key]) => key);
  }

  settle(handOver: HandOver, verdict: Verdict, index: number): Answer {
    if (!this.isOwned(handOver)) return 'lease-lost';
    const { entry, parked, epoch } = this.leased.get(handOver.key)!;
    const { orderingKey } = entry.message;
    this.leased.delete(handOver.key);
    parked?.out.delete(handOver.key);
    if (orderingKey !== '' && verdict.type !== 'ack' && verdict.type !== 'dead-letter') {
      this.park(entry, verdict, epoch, index);
      return 'settled';
    }
    this.end(entry, verdict, index);
    if (parked) parked.members = without(parked.members, entry);
    const leads = verdict.type === 'dead-letter' || (verdict.type === 'ack' && verdict.leadsParked);
    if (parked || leads) this.goOn(orderingKey);
    return 'settled';
  }

  /** An operator: begins again with attempt 1. */
  resume(orderingKey: string): string {
    const key = this.keys.get(orderingKey);
    if (!key) return 'not-parked';
    if (key.state.type === 'taken') return 'running';
    key.first.message = { ...key.first.message, attempt: 1, crashes: 0, readyAt: this.steps.now };
    key.reasons.delete(key.first.message.id);
    this.setState(key, { type: 'ready' });
    return 'resumed';
  }

  /** An operator: its first message becomes a dead letter. */
  skip(orderingKey: string): { result: string; messageId?: string } {
    const key = this.keys.get(orderingKey);
    if (!key) return { result: 'not-parked' };
    if (key.state.type === 'taken') return { result: 'running' };
    const { message } = key.first;
    this.dead.push({ ...message, reason: key.reasons.get(message.id) ?? 'rejected' });
    key.members = key.members.slice(1);
    this.goOn(orderingKey);
    return { result: 'skipped', messageId: message.id };
  }

  override dues(shard: number): number[] {
    const waiting = this.keysOf(shard).flatMap(({ state }) => (state.type === 'waiting' ? [state.due] : []));
    return [...super.dues(shard), ...waiting];
  }

  override promote(shard: number): number {
    const due = this.keysOf(shard).filter(({ state }) => state.type === 'waiting' && state.due <= this.steps.now);
    for (const key of due) this.setState(key, { type: 'ready' });
    return super.promote(shard) + due.length;
  }

  counts(): { ready: number; leased: number; retrying: number; parked: number } {
    const keys = [...this.keys.values()];
    const first = keys.filter(({ isRetrying }) => isRetrying).length;
    const waiting = keys.reduce((sum, { members, out }) => sum + members.length - out.size, 0);
    const ready = this.in([...this.streams.keys()]).length;
    return { ready, leased: this.leased.size, retrying: this.retrying.length + first, parked: waiting - first };
  }

  backlog(shard: number): number {
    const isHere = ({ message }: { message: Travelling }): boolean => message.place.shard === shard;
    const leased = [...this.leased.values()].filter(({ entry }) => isHere(entry)).length;
    const kept = this.keysOf(shard).reduce((sum, { members, out }) => sum + members.length - out.size, 0);
    return this.in(this.streamsOf(shard)).length + leased + kept + this.retrying.filter(isHere).length;
  }

  /** There is one key in a run that drops: its first message goes, in hand or not. */
  protected dropParked(): void {
    const [key] = [...this.keys.values()];
    const { first, out } = key!;
    key!.members = key!.members.slice(1);
    for (const [handOver, entry] of out) {
      if (entry !== first) continue;
      out.delete(handOver);
      this.leased.delete(handOver);
    }
    if (key!.members.length === 0) this.keys.delete(key!.orderingKey);
  }

  protected override isInStream(key: string): boolean {
    return !this.leased.get(key)!.parked;
  }

  protected retryStreamOf(queue: number): string {
    return `r${queue}`;
  }

  private park(entry: Entry, verdict: Parking, epoch: number, index: number): void {
    const { message } = entry;
    const known = this.keys.get(message.orderingKey);
    const key = known ?? new ParkedKey(message.orderingKey, message.place.queue);
    this.keys.set(message.orderingKey, key);
    if (verdict.type === 'retry' || verdict.type === 'park') entry.message = later(message);
    key.join(entry);
    if (verdict.type === 'follow') {
      if (!known) this.setState(key, verdict.wake ? { type: 'ready' } : { type: 'taken', epoch });
    } else if (verdict.type === 'park') {
      key.reasons.set(message.id, 'attempts-exhausted');
      this.setState(key, { type: 'exhausted' });
    } else {
      this.setState(key, verdict.far ? { type: 'waiting', due: this.steps.now + farMs(index) } : { type: 'ready' });
    }
  }

  /** What was out of the key is nobody's any more. */
  private setState(key: ParkedKey, state: KeyState): void {
    for (const handOver of key.out.keys()) this.leased.delete(handOver);
    key.out.clear();
    key.state = state;
  }

  /** Something of the key has ended: what came with it is still out, or the next is ready, or it is like any other key. */
  private goOn(orderingKey: string): void {
    const key = this.keys.get(orderingKey);
    if (!key || key.out.size > 0) return;
    if (key.members.length === 0) this.keys.delete(orderingKey);
    else this.setState(key, { type: 'ready' });
  }

  private move(entry: Entry): void {
    for (const [name, entries] of this.streams) this.streams.set(name, without(entries, entry));
    for (const [key, lease] of this.leased) {
      if (lease.entry !== entry || lease.parked) continue;
      this.countCrash(lease);
      this.leased.delete(key);
    }
    this.keys.get(entry.message.orderingKey)!.join(entry);
  }

  /** Its lease has ended: a crash, if its handler had started. */
  private countCrash(lease: OwnedLease): void {
    const { message } = lease.entry;
    if (lease.started) lease.entry.message = { ...message, crashes: message.crashes + 1 };
    lease.started = false;
  }

  /** Delivered to earlier owners of the queue, and not settled. */
  private left(queue: number, epoch: number): [string, OwnedLease][] {
    const isLeft = ({ entry, parked, epoch: under }: OwnedLease): boolean =>
      entry.message.place.queue === queue && !parked && under !== epoch;
    return [...this.leased].filter(([, lease]) => isLeft(lease));
  }

  private unread(queue: number): Entry[] {
    return this.in([`q${queue}`, `r${queue}`]);
  }

  private keysOf(shard: number): ParkedKey[] {
    const queues = queuesOf(shard, this.shape);
    return [...this.keys.values()].filter(({ queue }) => queues.includes(queue));
  }
}
