// Turns many small calls into few large ones: what is asked for while calls are under way leaves together with the next
// one. A lone item leaves at once. This is also the group commit for fsync and WAIT.

export interface CoalescerOptions<Item> {
  /** Items per call: bounds how long a script holds the server. */
  maxItems: number;
  /** Bytes per call, about. */
  maxBytes: number;
  /** Calls under way at the same time. */
  maxCalls: number;
  bytesOf: (item: Item) => number;
  /** Such items leave only while no other call with such an item is unresolved: a late retry must not overtake. */
  ordered?: (item: Item) => boolean;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

export class Coalescer<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private calls = 0;
  private orderedCalls = 0;
  private scheduled = false;

  constructor(
    private readonly options: CoalescerOptions<Item>,
    private readonly call: (items: Item[]) => Promise<Result[]>,
  ) {}

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.scheduled && this.calls < this.options.maxCalls) {
        this.scheduled = true;
        // A microtask, not a timer: everything added in this turn leaves together, nothing waits.
        queueMicrotask(() => {
          this.scheduled = false;
          this.flush();
        });
      }
    });
  }

  private flush(): void {
    while (this.waiting.length > 0 && this.calls < this.options.maxCalls) {
      const batch = this.take();
      if (!batch) return;
      void this.run(batch);
    }
  }

  /** The next batch, or undefined while its order forbids it to leave. */
  private take(): { items: Waiting<Item, Result>[]; ordered: boolean } | undefined {
    const { maxItems, maxBytes, bytesOf, ordered: isOrdered } = this.options;
    let bytes = 0;
    let count = 0;
    let ordered = false;
    for (const { item } of this.waiting) {
      bytes += bytesOf(item);
      if (count === maxItems || (bytes > maxBytes && count > 0)) break;
      if (isOrdered?.(item)) {
        if (this.orderedCalls > 0) break;
        ordered = true;
      }
      count++;
    }
    if (count === 0) return undefined;
    const items = count === this.waiting.length ? this.waiting : this.waiting.slice(0, count);
    this.waiting = count === this.waiting.length ? [] : this.waiting.slice(count);
    return { items, ordered };
  }

  private async run({ items, ordered }: { items: Waiting<Item, Result>[]; ordered: boolean }): Promise<void> {
    this.calls++;
    if (ordered) this.orderedCalls++;
    try {
      const results = await this.call(items.map(({ item }) => item));
      for (let index = 0; index < items.length; index++) items[index]!.resolve(results[index]!);
    } catch (error) {
      for (const item of items) item.reject(error);
    } finally {
      this.calls--;
      if (ordered) this.orderedCalls--;
      this.flush();
    }
  }
}
