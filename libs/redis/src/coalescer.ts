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

/** Items that were asked for together. One promise serves them all: one for each is the dearest part of a settled message. */
interface Request<Item, Result> {
  readonly items: readonly Item[];
  readonly results: Result[];
  /** So many have left with a call. */
  left: number;
  answered: number;
  resolve(results: Result[]): void;
  reject(error: unknown): void;
}

/** What a call takes of a request. */
interface Part<Item, Result> {
  readonly request: Request<Item, Result>;
  readonly from: number;
  readonly count: number;
}

interface Batch<Item, Result> {
  readonly items: Item[];
  readonly parts: Part<Item, Result>[];
  readonly ordered: boolean;
}

export class Coalescer<Item, Result> {
  private waiting: Request<Item, Result>[] = [];
  private calls = 0;
  private orderedCalls = 0;
  private scheduled = false;

  constructor(
    private readonly options: CoalescerOptions<Item>,
    private readonly call: (items: Item[]) => Promise<Result[]>,
  ) {}

  add(item: Item): Promise<Result> {
    return this.addAll([item]).then(([result]) => result!);
  }

  /** The results, in the order of the items; they may leave with more than one call. Rejects when one of these does. */
  addAll(items: readonly Item[]): Promise<Result[]> {
    return new Promise((resolve, reject) => {
      if (items.length === 0) return resolve([]);
      this.waiting.push({ items, results: [], left: 0, answered: 0, resolve, reject });
      if (this.scheduled || this.calls >= this.options.maxCalls) return;
      this.scheduled = true;
      // A microtask, not a timer: everything added in this turn leaves together, nothing waits.
      queueMicrotask(() => {
        this.scheduled = false;
        this.flush();
      });
    });
  }

  /**
   * What leaves now in any case takes along what waits, as much of it as comes first and `mayGo`: whatever is under way,
   * it costs no call of its own. Undefined when there is nothing to take along, else resolved when the call has ended.
   */
  takeAlong(mayGo: (item: Item) => boolean, call: (items: Item[]) => Promise<Result[]>): Promise<void> | undefined {
    const batch = this.take(mayGo);
    return batch && this.run(batch, call);
  }

  private flush(): void {
    while (this.waiting.length > 0 && this.calls < this.options.maxCalls) {
      const batch = this.take();
      if (!batch) return;
      void this.run(batch);
    }
  }

  /** The next batch, or undefined while its order forbids it to leave. */
  private take(mayGo?: (item: Item) => boolean): Batch<Item, Result> | undefined {
    const items: Item[] = [];
    const parts: Part<Item, Result>[] = [];
    const room = { bytes: 0, ordered: false };
    let whole = 0;
    for (const request of this.waiting) {
      const from = request.left;
      for (; request.left < request.items.length; request.left++) {
        const item = request.items[request.left]!;
        if (mayGo?.(item) === false || !this.fits(item, items.length, room)) break;
        items.push(item);
      }
      if (request.left > from) parts.push({ request, from, count: request.left - from });
      if (request.left < request.items.length) break;
      whole++;
    }
    this.waiting = whole === this.waiting.length ? [] : this.waiting.slice(whole);
    return items.length > 0 ? { items, parts, ordered: room.ordered } : undefined;
  }

  /** Whether the item may go with a batch of `count` others; counts it then. */
  private fits(item: Item, count: number, room: { bytes: number; ordered: boolean }): boolean {
    const { maxItems, maxBytes, bytesOf, ordered } = this.options;
    if (count === maxItems) return false;
    const bytes = room.bytes + bytesOf(item);
    if (bytes > maxBytes && count > 0) return false;
    if (ordered?.(item)) {
      if (this.orderedCalls > 0) return false;
      room.ordered = true;
    }
    room.bytes = bytes;
    return true;
  }

  private async run({ items, parts, ordered }: Batch<Item, Result>, call = this.call): Promise<void> {
    this.calls++;
    if (ordered) this.orderedCalls++;
    try {
      const results = await call(items);
      let at = 0;
      for (const { request, from, count } of parts) {
        for (let index = from; index < from + count; index++) request.results[index] = results[at++]!;
        request.answered += count;
        if (request.answered === request.items.length) request.resolve(request.results);
      }
    } catch (error) {
      for (const { request } of parts) request.reject(error);
    } finally {
      this.calls--;
      if (ordered) this.orderedCalls--;
      this.flush();
    }
  }
}
