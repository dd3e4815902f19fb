// What a consumer holds, by its place in the group. A broker that has lost a reply hands out everything pending once
// more (see `Broker.receive`): whoever holds a delivery knows it, and does not run it a second time.
import type { Delivery } from './delivery.js';
import type { HeldDelivery } from './held-delivery.js';

/**
 * A delivery that ended stays known until the next read of its shard begins: a read that was under way may have looked
 * before its settlement, and bring it after.
 */
export class InHand implements Iterable<HeldDelivery> {
  /** By stream, then by entry: two small keys are cheaper than one that has to be put together for every message. */
  private readonly streams = new Map<number, Map<string, HeldDelivery>>();
  /** By shard. */
  private readonly ended: HeldDelivery[][] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  *[Symbol.iterator](): Iterator<HeldDelivery> {
    for (const entries of this.streams.values())
      for (const held of entries.values()) if (held.state !== 'gone') yield held;
  }

  /** Also finds what has just ended; undefined for the same place under another epoch, which is another hand-over. */
  find(delivery: Delivery): HeldDelivery | undefined {
    const held = this.streams.get(streamOf(delivery))?.get(delivery.entryId);
    return held?.delivery.epoch === delivery.epoch ? held : undefined;
  }

  add(held: HeldDelivery): void {
    const { delivery } = held;
    const stream = streamOf(delivery);
    let entries = this.streams.get(stream);
    if (!entries) this.streams.set(stream, (entries = new Map()));
    entries.set(delivery.entryId, held);
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
    for (const held of ended) {
      const entries = this.streams.get(streamOf(held.delivery));
      // The same place may have been handed over again meanwhile.
      if (entries?.get(held.delivery.entryId) === held) entries.delete(held.delivery.entryId);
    }
  }
}

function streamOf({ shard, queue, source }: Delivery): number {
  return (shard * 65_536 + queue) * 3 + (source === 'queue' ? 0 : source === 'retry' ? 1 : 2);
}
