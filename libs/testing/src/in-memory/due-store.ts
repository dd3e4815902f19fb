// What waits for an instant: delayed messages of a shard, retries of a group. Kept sorted by (due, sequence), so that
// promoting is in due order and ties are in the order of sending.

export interface DueItem<T> {
  readonly id: string;
  /** Unix ms of the store's clock. */
  readonly dueAt: number;
  /** Place among items of the same instant; from the store, so that several DueStores can be merged. */
  readonly sequence: number;
  readonly value: T;
}

export class DueStore<T> {
  private readonly byId = new Map<string, DueItem<T>>();
  private readonly sorted: DueItem<T>[] = [];

  get size(): number {
    return this.byId.size;
  }

  get(id: string): DueItem<T> | undefined {
    return this.byId.get(id);
  }

  some(matches: (value: T) => boolean): boolean {
    return this.sorted.some(({ value }) => matches(value));
  }

  /** In order. */
  items(): readonly DueItem<T>[] {
    return this.sorted;
  }

  /** The item that is due first. */
  head(): DueItem<T> | undefined {
    return this.sorted[0];
  }

  add(item: DueItem<T>): void {
    this.remove(item.id);
    this.byId.set(item.id, item);
    this.sorted.splice(this.indexOf(item), 0, item);
  }

  remove(id: string): DueItem<T> | undefined {
    const item = this.byId.get(id);
    if (!item) return undefined;
    this.byId.delete(id);
    this.sorted.splice(this.indexOf(item), 1);
    return item;
  }

  /** First index whose item is not before `item`: its place, or itself. */
  private indexOf(item: DueItem<T>): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.sorted[middle]!, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Due order; at the same instant the order of sending. */
export function isBefore(a: DueItem<unknown>, b: DueItem<unknown>): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.sequence < b.sequence);
}
