// One consumer group as sets and maps: where each message of the topic is for it.
import type { Shape } from './broker-model.js';

export interface Place {
  readonly shard: number;
  /** Over all shards. */
  readonly queue: number;
}

/** A message on its way through one group. */
export interface Travelling {
  readonly id: string;
  readonly place: Place;
  readonly attempt: number;
  readonly crashes: number;
  readonly generation: number;
}

interface Lease {
  message: Travelling;
  owner: string;
  started: boolean;
  expired: boolean;
}

/** One hand-over, for as long as somebody may try to settle it. */
export interface HandOver {
  readonly key: string;
  readonly owner: string;
}

export type Verdict =
  | { readonly type: 'ack'; readonly skipped: boolean }
  | { readonly type: 'retry'; readonly far: boolean }
  | { readonly type: 'release'; readonly far: boolean }
  | { readonly type: 'dead-letter' };

/** Redriven so often, a dead letter stays unless forced. */
const QUARANTINE_AFTER = 3;

export class GroupModel {
  /** Ready, by stream; see `BrokerModel.log` for ranks. */
  readonly streams = new Map<string, { readonly message: Travelling; readonly rank: number }[]>();
  /** By place in the store. */
  readonly leased = new Map<string, Lease>();
  readonly handed: HandOver[] = [];
  retrying: { message: Travelling; place: Place; due: boolean }[] = [];
  dead: Travelling[] = [];
  done = 0;
  skipped = 0;
  purged = 0;

  constructor({ shards, queues }: Shape) {
    for (let queue = 0; queue < queues; queue++) this.streams.set(`q${queue}`, []);
    for (let shard = 0; shard < shards; shard++) this.streams.set(`r${shard}`, []);
  }

  get ready(): number {
    return [...this.streams.values()].reduce((sum, { length }) => sum + length, 0);
  }

  readyIn(shard: number, { shards, queues }: Shape): number {
    const perShard = queues / shards;
    return [...this.streams].reduce((sum, [name, { length }]) => {
      const number = Number(name.slice(1));
      return (name.startsWith('r') ? number : Math.floor(number / perShard)) === shard ? sum + length : sum;
    }, 0);
  }

  add(stream: string, message: Travelling, rank: number): void {
    this.streams.get(stream)!.push({ message, rank });
  }

  /** Takes a message that a read has brought; undefined when it should not have come now. */
  lease(stream: string, id: string, key: string, owner: string): Travelling | undefined {
    const ready = this.streams.get(stream)!;
    const at = ready.findIndex(({ message, rank }) => message.id === id && rank === ready[0]!.rank);
    if (at < 0) return undefined;
    const { message } = ready.splice(at, 1)[0]!;
    this.leased.set(key, { message, owner, started: false, expired: false });
    this.handed.push({ key, owner });
    return message;
  }

  holds(owner: string): boolean {
    return [...this.leased.values()].some((lease) => lease.owner === owner);
  }

  isAnyExpired(shard: number): boolean {
    return [...this.leased.values()].some(({ expired, message }) => expired && message.place.shard === shard);
  }

  isOwned({ key, owner }: HandOver): boolean {
    return this.leased.get(key)?.owner === owner;
  }

  /** Every handler of the consumer starts. */
  start(owner: string): string[] {
    const held = [...this.leased].filter(([, lease]) => lease.owner === owner);
    for (const [, lease] of held) lease.started = true;
    return held.map(([key]) => key);
  }

  /** The consumer is not heard of any more. */
  expire(owner: string): void {
    for (const lease of this.leased.values()) if (lease.owner === owner) lease.expired = true;
  }

  renew(handOver: HandOver): boolean {
    if (!this.isOwned(handOver)) return false;
    this.leased.get(handOver.key)!.expired = false;
    return true;
  }

  /** Takes over every expired lease of the shard. */
  reclaim(shard: number, owner: string): Map<string, Travelling> {
    const taken = new Map<string, Travelling>();
    for (const [key, lease] of this.leased) {
      if (!lease.expired || lease.message.place.shard !== shard) continue;
      const crashes = lease.message.crashes + (lease.started ? 1 : 0);
      const message = { ...lease.message, crashes };
      this.leased.set(key, { message, owner, started: false, expired: false });
      this.handed.push({ key, owner });
      taken.set(key, message);
    }
    return taken;
  }

  settle(handOver: HandOver, verdict: Verdict, rank: number): 'settled' | 'lease-lost' {
    if (!this.isOwned(handOver)) return 'lease-lost';
    const { message } = this.leased.get(handOver.key)!;
    this.leased.delete(handOver.key);
    if (verdict.type === 'ack' && verdict.skipped) this.skipped++;
    else if (verdict.type === 'ack') this.done++;
    else if (verdict.type === 'dead-letter') this.dead.push({ ...message, attempt: message.attempt + 1 });
    else
      this.comeAgain(
        verdict.type === 'retry' ? { ...message, attempt: message.attempt + 1 } : message,
        verdict.far,
        rank,
      );
    return 'settled';
  }

  promote(shard: number, rank: number): number {
    const due = this.retrying.filter((retry) => retry.due && retry.place.shard === shard);
    this.retrying = this.retrying.filter((retry) => !due.includes(retry));
    for (const { message } of due) this.add(`r${shard}`, message, rank);
    return due.length;
  }

  redrive(ids: readonly string[], force: boolean, rank: number): string[] {
    const going = this.dead.filter(
      ({ id, generation }) => ids.includes(id) && (force || generation < QUARANTINE_AFTER),
    );
    this.dead = this.dead.filter((message) => !going.includes(message));
    for (const message of going) {
      const again = { ...message, attempt: 1, crashes: 0, generation: message.generation + 1 };
      this.add(`r${message.place.shard}`, again, rank);
    }
    return going.map(({ id }) => id);
  }

  purge(ids: readonly string[]): number {
    const before = this.dead.length;
    this.dead = this.dead.filter(({ id }) => !ids.includes(id));
    const gone = before - this.dead.length;
    this.purged += gone;
    return gone;
  }

  private comeAgain(message: Travelling, far: boolean, rank: number): void {
    if (far) this.retrying.push({ message, place: message.place, due: false });
    else this.add(`r${message.place.shard}`, message, rank);
  }
}
