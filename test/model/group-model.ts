// One consumer group as sets and maps: where each message of the topic is for it. What both modes have in common.
import { HOUR_MS, queuesOf, type Shape, type Steps } from './shape.js';
import { later, type Dead, type Entry, type HandOver, type Travelling, type Verdict } from './travelling.js';

export interface Lease {
  readonly entry: Entry;
  owner: string;
  started: boolean;
}

export type Answer = 'settled' | 'lease-lost';

/** Redriven so often, a dead letter stays unless forced. */
const QUARANTINE_AFTER = 3;

export abstract class GroupModel<Held extends Lease = Lease> {
  /** Ready, by stream, the oldest first: `q<queue>` of the topic, `r<number>` of the group. */
  readonly streams = new Map<string, Entry[]>();
  /** By hand-over. */
  readonly leased = new Map<string, Held>();
  readonly handed: HandOver[] = [];
  /** Waiting for their next attempt outside of any stream. */
  retrying: { readonly message: Travelling; readonly due: number }[] = [];
  dead: Dead[] = [];
  done = 0;
  skipped = 0;
  expired = 0;
  dropped = 0;
  purged = 0;

  constructor(
    readonly name: string,
    protected readonly shape: Shape,
    protected readonly steps: Steps,
  ) {
    for (let queue = 0; queue < shape.queues; queue++) this.streams.set(`q${queue}`, []);
  }

  /** Where a message of the group comes back. */
  abstract retryStream(message: Travelling): string;
  abstract isOwned(handOver: HandOver): boolean;
  abstract settle(handOver: HandOver, verdict: Verdict, index: number): Answer;
  /** Prolongs it, if it is still its owner's. */
  abstract renew(handOver: HandOver): boolean;
  /** Of those that wait for their next attempt. */
  abstract counts(): { ready: number; leased: number; retrying: number; parked: number };
  /** Everything in the shard that is not finished. */
  abstract backlog(shard: number): number;
  /** Only the broker knows which: nothing but messages of parked keys is left. */
  protected abstract dropParked(shard: number): void;

  /** Everything of these streams. */
  in(streams: readonly string[]): Entry[] {
    return streams.flatMap((name) => this.streams.get(name) ?? []);
  }

  add(stream: string, message: Travelling, rank = this.steps.next()): void {
    const known = this.streams.get(stream) ?? [];
    this.streams.set(stream, [...known, { message, rank }]);
  }

  holds(owner: string): boolean {
    return [...this.leased.values()].some((lease) => lease.owner === owner);
  }

  /** The instants at which something of the shard is due. */
  dues(shard: number): number[] {
    return this.retrying.filter(({ message }) => message.place.shard === shard).map(({ due }) => due);
  }

  promote(shard: number): number {
    const isDue = ({ message, due }: { message: Travelling; due: number }): boolean =>
      message.place.shard === shard && due <= this.steps.now;
    const due = this.retrying.filter(isDue).toSorted((a, b) => a.due - b.due);
    this.retrying = this.retrying.filter((retry) => !isDue(retry));
    for (const { message } of due) this.add(this.retryStream(message), message);
    return due.length;
  }

  /** All at once: they come back in any order. */
  redrive(ids: readonly string[], force: boolean): string[] {
    const rank = this.steps.next();
    const going = this.dead.filter(
      ({ id, generation }) => ids.includes(id) && (force || generation < QUARANTINE_AFTER),
    );
    this.dead = this.dead.filter((message) => !going.includes(message));
    for (const message of going) {
      const anew = { attempt: 1, crashes: 0, generation: message.generation + 1, readyAt: this.steps.now };
      this.add(this.retryStream(message), { ...message, ...anew }, rank);
    }
    return going.map(({ id }) => id);
  }

  purge(ids: readonly string[]): number {
    const before = this.dead.length;
    this.dead = this.dead.filter(({ id }) => !ids.includes(id));
    this.purged += before - this.dead.length;
    return before - this.dead.length;
  }

  /** A full topic drops: the oldest that is ready or leased, else the retry that is due first, else one of a parked key. */
  dropOldest(shard: number): void {
    this.dropped++;
    const ready = [...this.streams].flatMap(([name, entries]) => {
      return entries.map((entry) => ({ entry, drop: () => this.streams.set(name, without(entries, entry)) }));
    });
    const leased = [...this.leased].flatMap(([key, { entry }]) => {
      return this.isInStream(key) ? [{ entry, drop: () => this.leased.delete(key) }] : [];
    });
    const inShard = [...ready, ...leased].filter(({ entry }) => entry.message.place.shard === shard);
    const [oldest] = inShard.toSorted((a, b) => a.entry.rank - b.entry.rank);
    const [first] = this.retrying.toSorted((a, b) => a.due - b.due);
    if (oldest) oldest.drop();
    else if (first) this.retrying = this.retrying.filter((retry) => retry !== first);
    else this.dropParked(shard);
  }

  /** Not handed out of a parked key. */
  protected isInStream(key: string): boolean {
    return this.leased.has(key);
  }

  /** How a delivery ends in both modes, once it is certain that it was its owner's. */
  protected end({ message }: Entry, verdict: Verdict, index: number): void {
    if (verdict.type === 'ack') this[verdict.expired ? 'expired' : verdict.skipped ? 'skipped' : 'done']++;
    else if (verdict.type === 'dead-letter') this.dead.push({ ...later(message), reason: 'rejected' });
    else this.comeAgain(verdict.type === 'retry' ? later(message) : message, 'far' in verdict && verdict.far, index);
  }

  /** Those of one call are due one after the other, see `settlementFor`. */
  private comeAgain(message: Travelling, far: boolean, index: number): void {
    if (far) this.retrying.push({ message, due: this.steps.now + farMs(index) });
    else this.add(this.retryStream(message), message);
  }

  protected streamsOf(shard: number): string[] {
    const queues = queuesOf(shard, this.shape);
    return queues.flatMap((queue) => [`q${queue}`, this.retryStreamOf(queue, shard)]);
  }

  protected abstract retryStreamOf(queue: number, shard: number): string;
}

/** The delay of the item at this place of a call. */
export const farMs = (index: number): number => HOUR_MS + index;

export const without = <T>(list: readonly T[], one: T): T[] => list.filter((other) => other !== one);
