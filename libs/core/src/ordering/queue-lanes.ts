// One owned queue: its deliveries in lanes, one per ordering key.
import { setMaxListeners } from 'node:events';
import type { Clock } from '../clock.js';
import type { QueueLease, Settlement } from '../consumer/delivery.js';
import type { Dispatcher } from '../consumer/dispatcher.js';
import type { HeldDelivery } from '../consumer/held-delivery.js';
import type { SettleAnswer } from '../consumer/settler.js';
import type { Window } from '../consumer/window.js';

export interface QueueLanesParts {
  readonly dispatcher: Dispatcher;
  readonly window: Window;
  readonly clock: Clock;
  /** Handlers that a former lease of ours left running, by ordering key: their keys stay blocked until they end. */
  readonly leftRunning: ReadonlyMap<string, HeldDelivery>;
  /** Something changed that the owner of the queue should look at now. */
  readonly onChange: () => void;
}

/**
 * Of each ordering key only the head of its lane may run; its followers wait, also while the head waits for its next
 * attempt. Messages without a key run freely.
 *
 *   open <--pause/resume--> paused --(nothing runs)--> closed          open, paused --lease lost--> closed
 *
 * After a settlement that did not take effect the state of the queue is no longer known here: it is `broken`, starts
 * nothing more and has to be read anew from the broker, under a new epoch.
 */
export class QueueLanes {
  isBroken = false;
  private readonly lanes = new Map<string, Set<HeldDelivery>>();
  private readonly inHand = new Set<HeldDelivery>();
  /** Wanted to start while the queue was paused or its lease was in doubt. */
  private readonly keptBack = new Set<HeldDelivery>();
  private readonly closing = new AbortController();
  private paused = false;

  constructor(
    readonly lease: QueueLease,
    private readonly parts: QueueLanesParts,
  ) {
    // One wait for each key that rests, all on this signal: many are no leak.
    setMaxListeners(0, this.closing.signal);
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** A handler runs, or a settlement is under way. */
  get isBusy(): boolean {
    return [...this.inHand].some(({ state }) => state === 'running' || state === 'stalled' || state === 'settling');
  }

  get hasStalled(): boolean {
    return [...this.inHand].some(({ state }) => state === 'stalled');
  }

  accept(held: HeldDelivery): void {
    this.inHand.add(held);
    const key = held.delivery.message.orderingKey;
    const lane = key === '' ? undefined : this.lanes.get(key);
    if (lane) {
      lane.add(held);
      this.parts.window.park(held);
      return;
    }
    if (key !== '') this.lanes.set(key, new Set([held]));
    this.begin(held);
  }

  mayStart(held: HeldDelivery, now: number): boolean {
    const inTime = now < this.lease.until;
    if (!this.paused && !this.isBroken && inTime) return true;
    this.keptBack.add(held);
    if (!inTime) this.parts.onChange();
    return false;
  }

  settled(held: HeldDelivery, settlement: Settlement, answer: SettleAnswer): void {
    const { dispatcher, onChange } = this.parts;
    if (this.closing.signal.aborted) return dispatcher.letGo(held);
    if (answer !== 'settled') {
      // Its lane goes no further: the follower must not overtake what may have to run again.
      this.isBroken = true;
      dispatcher.letGo(held);
    } else if (settlement.type === 'retry' || settlement.type === 'release') {
      this.runAgain(held, settlement);
    } else {
      this.finish(held);
    }
    if (this.paused || this.isBroken) onChange();
  }

  /** No further starts; what runs goes on. */
  pause(): void {
    this.paused = true;
  }

  /** The lease is surely ours (again): what was kept back may start. Without effect on a broken queue. */
  resume(): void {
    if (this.isBroken) return;
    this.paused = false;
    const kept = [...this.keptBack];
    this.keptBack.clear();
    for (const held of kept) if (held.state === 'waiting') this.parts.dispatcher.ready(held);
  }

  /**
   * Forgets everything; running handlers are told that the lease is lost. The broker still has what was not settled.
   * Returns the handlers that still run, by ordering key.
   */
  close(): Map<string, HeldDelivery> {
    this.closing.abort();
    const leftRunning = new Map([...this.parts.leftRunning].filter(([, { isRunning }]) => isRunning));
    for (const held of this.inHand) {
      if (held.isRunning) {
        leftRunning.set(held.delivery.message.orderingKey, held);
        this.parts.dispatcher.lose(held);
      } else if (held.state !== 'settling') {
        this.parts.dispatcher.letGo(held);
      }
    }
    this.inHand.clear();
    this.lanes.clear();
    this.keptBack.clear();
    return leftRunning;
  }

  /** The head of a lane, at its first attempt here: a former owner may have left a back-off to wait out. */
  private begin(held: HeldDelivery): void {
    if (held.state === 'gone') return;
    const { notBeforeMs = 0, message } = held.delivery;
    const left = message.orderingKey === '' ? undefined : this.parts.leftRunning.get(message.orderingKey);
    if (left?.isRunning) {
      this.parts.window.park(held);
      left.onGone = () => this.begin(held);
    } else if (notBeforeMs > 0) {
      this.rest(held, notBeforeMs);
    } else {
      this.parts.dispatcher.ready(held);
    }
  }

  /** The retry is stored, the delivery is still ours and still the head of its lane. */
  private runAgain(held: HeldDelivery, settlement: Extract<Settlement, { type: 'retry' | 'release' }>): void {
    const state = settlement.type === 'retry' ? settlement.state : held.delivery.state;
    held.delivery = { ...held.delivery, state, notBeforeMs: undefined };
    held.result = undefined;
    held.context = undefined;
    if (this.parts.dispatcher.isStopped) this.parts.dispatcher.letGo(held);
    else if (settlement.delayMs > 0) this.rest(held, settlement.delayMs);
    else this.parts.dispatcher.ready(held);
  }

  private rest(held: HeldDelivery, ms: number): void {
    held.state = 'resting';
    this.parts.window.park(held);
    void this.endRest(held, this.parts.clock.monotonic() + ms);
  }

  /** Never early: a clock may end a wait a little before its time, and cuts very long ones. */
  private async endRest(held: HeldDelivery, at: number): Promise<void> {
    const { clock, dispatcher } = this.parts;
    const { signal } = this.closing;
    for (let leftMs = at - clock.monotonic(); leftMs > 0 && !signal.aborted; leftMs = at - clock.monotonic()) {
      await clock.wait(leftMs, signal);
    }
    if (held.state === 'resting') dispatcher.ready(held);
  }

  /** Done for this group: the next one of its key becomes the head. */
  private finish(held: HeldDelivery): void {
    this.inHand.delete(held);
    this.parts.dispatcher.letGo(held);
    const key = held.delivery.message.orderingKey;
    const lane = this.lanes.get(key);
    if (!lane?.delete(held)) return;
    const [next] = lane;
    if (!next) this.lanes.delete(key);
    else this.begin(next);
  }
}
