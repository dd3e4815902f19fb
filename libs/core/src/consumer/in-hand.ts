// What a consumer holds, by its place in the group. A broker that has lost a reply hands out everything pending once
// more (see `Broker.receive`): whoever holds a delivery knows it, and does not run it a second time.
import type { Delivery } from './delivery.js';
import type { HeldDelivery } from './held-delivery.js';

/** Fewer forgotten ones than this are not worth a new table. */
const FEW = 16;

/** Of one stream, by entry. Replaced, not emptied: chain.ts says why a table must not be used for ever. */
class StreamInHand {
  /** Undefined: forgotten. */
  private entries = new Map<string, HeldDelivery | undefined>();
  private forgotten = 0;

  find(entryId: string): HeldDelivery | undefined {
    return this.entries.get(entryId);
  }

  add(held: HeldDelivery): void {
    const { entryId } = held.delivery;
    const { size } = this.entries;
    const before = this.entries.get(entryId);
    this.entries.set(entryId, held);
    if (before === undefined && this.entries.size === size) this.forgotten--;
  }

  /** Unless the same place was handed over again meanwhile. */
  forget(held: HeldDelivery): void {
    const { entryId } = held.delivery;
    if (this.entries.get(entryId) !== held) return;
    this.entries.set(entryId, undefined);
    this.forgotten++;
    if (this.forgotten < FEW || 2 * this.forgotten < this.entries.size) return;
    const left = new Map<string, HeldDelivery>();
    for (const [entry, other] of this.entries) if (other) left.set(entry, other);
    this.entries = left;
    this.forgotten = 0;
  }

  *[Symbol.iterator](): Iterator<HeldDelivery> {
    for (const held of this.entries.values()) if (held && held.state !== 'gone') yield held;
  }
}

/**
 * A delivery that ended stays known until the next read of its shard begins: a read that was under way may have looked
 * before its settlement, and bring it after.
 */
export class InHand implements Iterable<HeldDelivery> {
  /** By stream, then by entry: two small keys are cheaper than one that has to be put together for every message. */
  private readonly streams = new Map<number, StreamInHand>();
  /** By shard. */
  private readonly ended: HeldDelivery[][] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  *[Symbol.iterator](): Iterator<HeldDelivery> {
    for (const entries of this.streams.values()) yield* entries;
  }

  /** Also finds what has just ended; undefined for the same place under another epoch, which is another hand-over. */
  find(delivery: Delivery): HeldDelivery | undefined {
    const held = this.streams.get(streamOf(delivery))?.find(delivery.entryId);
    return held?.delivery.epoch === delivery.epoch ? held : undefined;
  }

  add(held: HeldDelivery): void {
    const stream = streamOf(held.delivery);
    let entries = this.streams.get(stream);
    if (!entries) this.streams.set(stream, (entries = new StreamInHand()));
    entries.add(held);
    this.count++;
  }

  end(held: HeldDelivery): void {
    this.count--;
    (this.ended[held.delivery.shard] ??= []).push(held);
  }

  /** A read of the shard begins: what ended before it will not be seen by it. */
  forgetEnded(shard: number): void {
    const ended = this.ended[shard];
    if (!ended) return;
    this.ended[shard] = [];
    for (const held of ended) this.streams.get(streamOf(held.delivery))?.forget(held);
  }
}

function streamOf({ shard, queue, source }: Delivery): number {
  return (shard * 65_536 + queue) * 3 + (source === 'queue' ? 0 : source === 'retry' ? 1 : 2);
}
