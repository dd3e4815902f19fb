// How much a consumer holds: enough to keep its handlers busy, and no more.
import type { HeldDelivery } from './held-delivery.js';

/** Deliveries behind others of their ordering key: they cannot run, so only memory bounds them. */
const MAX_PARKED = 10_000;
const MAX_PARKED_BYTES = 64 * 1024 * 1024;
/** What a message is taken to weigh before any has come. */
const FIRST_GUESS_BYTES = 1024 * 1024;
/** So much work may wait here where nobody said how much: a process that has more keeps it from others. In ms. */
const WORK_AHEAD_MS = 20;
/** And at most so many times the concurrency: handlers may become slow at any moment. */
const MOST_AHEAD = 4;
/** Weight of the latest message in the running guess when it is smaller; a larger one counts at once. */
const DECAY = 0.1;

/**
 * Bounded in messages and in bytes of stored bodies. Counts the deliveries that may run or do run (at most `capacity` are fetched) and, apart from them, those that
 * queue behind another one of their ordering key: a key that blocks must not keep other keys from being fetched. What
 * is done and waits for its settlement to be answered counts only beyond the prefetch: the next messages come meanwhile.
 * A prefetch that `grows` follows the pace of the handlers: quick ones get larger reads, of which each costs less.
 * A read that waits is not counted, so with several shards the window can be exceeded by what such reads bring; and
 * the bytes by what one read brings more than the messages before it made one expect. Without anything in hand one
 * message is always asked for, however large it is.
 */
export class Window {
  private prefetch: number;
  /** Handled since `measuredAt` (monotonic ms), and the mean of earlier paces, per ms. */
  private handled = 0;
  private measuredAt: number | undefined;
  private perMs = 0;
  private held = 0;
  private settling = 0;
  private bytes = 0;
  private typicalBytes: number | undefined;
  private parked = 0;
  private parkedBytes = 0;
  private readonly waiting = new Set<() => void>();

  /** @param leastPrefetch the prefetch, or where one that `grows` begins */
  constructor(
    private readonly concurrency: number,
    private readonly leastPrefetch: number,
    private readonly maxBytes = Infinity,
    private readonly grows = false,
  ) {
    this.prefetch = leastPrefetch;
  }

  get capacity(): number {
    return this.concurrency + this.prefetch;
  }

  /** Fetching begins when this much is free: many tiny reads cost more than a few larger ones. */
  get threshold(): number {
    // Above the prefetch a threshold would leave handlers idle while the rest of the window is busy for long.
    return Math.max(1, Math.min(Math.floor(this.capacity / 4), this.prefetch));
  }

  /** Before a read: lets the prefetch follow the pace since the last one. */
  keepPace(now: number): void {
    if (!this.grows) return;
    const elapsed = now - (this.measuredAt ??= now);
    // In less than this slow handlers that end together would look like quick ones.
    if (elapsed < WORK_AHEAD_MS) return;
    this.perMs = (this.perMs + this.handled / elapsed) / 2;
    const ahead = Math.min(this.perMs * WORK_AHEAD_MS, this.concurrency * MOST_AHEAD);
    this.prefetch = Math.max(this.leastPrefetch, Math.floor(ahead));
    [this.measuredAt, this.handled] = [now, 0];
  }

  /** How many messages may be asked for. */
  get free(): number {
    return Math.min(this.freePlaces, this.fitting(this.maxBytes));
  }

  /** Room for expired leases: a reserve of its own, so that fetching under load cannot starve the recovery. */
  get freeForReclaim(): number {
    const places = Math.max(0, this.capacity + Math.max(1, Math.floor(this.capacity / 4)) - this.held);
    return Math.min(places, this.fitting(this.maxBytes * 1.25));
  }

  /** So much waits behind ordering keys that the longest rows should wait at the broker instead. */
  get isCrowded(): boolean {
    return this.parked >= MAX_PARKED / 2 || this.parkedBytes >= MAX_PARKED_BYTES / 2;
  }

  /** Only places wait for their threshold: a few large messages may be all that fits. */
  get isBelowThreshold(): boolean {
    return this.freePlaces < this.threshold || this.free === 0;
  }

  private get freePlaces(): number {
    if (this.parked >= MAX_PARKED || this.parkedBytes >= MAX_PARKED_BYTES) return 0;
    return Math.max(0, this.capacity - this.held - Math.max(0, this.settling - this.prefetch));
  }

  /** How many messages like the latest ones fit; none only while something is in hand. */
  private fitting(maxBytes: number): number {
    const left = maxBytes - this.bytes;
    if (left <= 0 && this.held + this.settling > 0) return 0;
    return Math.max(1, Math.floor(left / (this.typicalBytes ?? FIRST_GUESS_BYTES)));
  }

  /** It may run now. */
  admit(held: HeldDelivery): void {
    this.move(held, 'window');
  }

  /** Its handler hangs: it keeps its place, but what it weighs must not keep others from coming. */
  stall(held: HeldDelivery): void {
    this.move(held, 'stalled');
  }

  /** It is done, and its settlement on the way: it waits for an answer, and no longer for a place. */
  settle(held: HeldDelivery): void {
    this.move(held, 'settling');
  }

  /** It waits for others of its key. */
  park(held: HeldDelivery): void {
    this.move(held, 'parked');
  }

  /** It is no longer in our hands. */
  leave(held: HeldDelivery): void {
    this.move(held, 'outside');
  }

  /** Calls `wake` once, as soon as there is room worth a read. */
  whenRoom(wake: () => void): void {
    this.waiting.add(wake);
  }

  private move(held: HeldDelivery, to: HeldDelivery['place']): void {
    if (held.place === to) return;
    if (held.place === 'outside') this.weigh(held);
    if (held.place === 'window') this.handled++;
    this.count(held, -1);
    held.place = to;
    this.count(held, 1);
    if (this.waiting.size === 0 || this.isBelowThreshold) return;
    const woken = [...this.waiting];
    this.waiting.clear();
    for (const wake of woken) wake();
  }

  private weigh({ delivery }: HeldDelivery): void {
    const bytes = delivery.message.body.length;
    // Never 0: it is divided by.
    this.typicalBytes = Math.max(bytes, 1, (this.typicalBytes ?? 0) * (1 - DECAY) + bytes * DECAY);
  }

  private count(held: HeldDelivery, by: 1 | -1): void {
    const bytes = by * held.delivery.message.body.length;
    if (held.place === 'window' || held.place === 'stalled') this.held += by;
    if (held.place === 'settling') this.settling += by;
    if (held.place === 'window' || held.place === 'settling') this.bytes += bytes;
    if (held.place !== 'parked') return;
    this.parked += by;
    this.parkedBytes += bytes;
  }
}
