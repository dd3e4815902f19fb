// How far one process has come in one shard: the places it reads from, and those before which everything is handled.
import type { Delivery } from '../consumer/delivery.js';
import type { BroadcastPage, BroadcastPosition } from './broadcast-page.js';

export class ReadProgress {
  /** By queue: entries in hand with the place before each, in the order of the queue. */
  private readonly inHand: Map<string, BroadcastPosition>[];

  constructor(private positions: readonly BroadcastPosition[]) {
    this.inHand = positions.map(() => new Map());
  }

  /** Where to read on. */
  get next(): readonly BroadcastPosition[] {
    return this.positions;
  }

  /** Where a restart has to go on: nothing that is still in hand is behind it. */
  get handled(): readonly BroadcastPosition[] {
    return this.positions.map((position, queue) => {
      const [oldest] = this.inHand[queue]!.values();
      return oldest ?? position;
    });
  }

  read({ entries, positions }: BroadcastPage): void {
    for (const { queue, entryId, before } of entries) this.inHand[queue]!.set(entryId, before);
    this.positions = positions;
  }

  /** Handled, skipped or given up. */
  ended({ queue, entryId }: Delivery): void {
    this.inHand[queue]!.delete(entryId);
  }
}
