// One owned queue: its deliveries in lanes, one per ordering key.
import type { QueueLease, Settlement } from '../consumer/delivery.js';
import type { Dispatcher } from '../consumer/dispatcher.js';
import type { HeldDelivery } from '../consumer/held-delivery.js';
import type { SettleAnswer } from '../consumer/settler.js';
import type { Window } from '../consumer/window.js';
import type { Lane } from './lane.js';
import { Lanes } from './lanes.js';

export interface QueueLanesParts {
  readonly dispatcher: Dispatcher;
  readonly window: Window;
  /** Handlers that a former lease of ours left running, by ordering key: their keys stay blocked until they end. */
  readonly leftRunning: ReadonlyMap<string, HeldDelivery>;
  /** Something changed that the owner of the queue should look at now. */
  readonly onChange: () => void;
}

/** A row as long as this is parked when memory gets scarce; shorter ones would gain little. */
const LONG_ROW = 32;

/**
 * Of each ordering key only the head of its lane may run; its followers wait. When the head is to come again, or the
 * followers become too many to be held here, the key is parked at the broker: first the followers leave, then the head is
 * settled (docs/ordering.md says why in this order). Messages without a key run freely.
 *
 *   open <--pause/resume--> paused --(nothing runs)--> closed          open, paused --lease lost--> closed
 *
 * After a settlement that did not take effect the state of the queue is no longer known here: it is `broken`, starts
 * nothing more and has to be read anew from the broker, under a new epoch.
 */
export class QueueLanes {
  isBroken = false;
  private readonly lanes = new Lanes();
  /** Empty lanes of parked keys: a read that is under way may still bring what was delivered before they were parked. */
  private vacated = new Set<string>();
  /** Wanted to start while the queue was paused or its lease was in doubt. */
  private readonly keptBack = new Set<HeldDelivery>();
  private isClosed = false;
  private paused = false;

  constructor(
    readonly lease: QueueLease,
    private readonly parts: QueueLanesParts,
  ) {}

  get isPaused(): boolean {
    return this.paused;
  }

  /** A handler runs, or a settlement is under way. */
  get isBusy(): boolean {
    return this.holds(({ state }) => state === 'running' || state === 'stalled' || state === 'settling');
  }

  get hasStalled(): boolean {
    return this.holds(({ state }) => state === 'stalled');
  }

  accept(held: HeldDelivery): void {
    held.lanes = this;
    const { message, source } = held.delivery;
    if (message.orderingKey === '') return this.begin(held);
    const lane = this.lanes.of(message.orderingKey);
    if (source === 'parked') lane.isParked = true;
    else if (lane.isParked) return this.leave(lane, held);
    lane.row.push(held);
    if (lane.head === held) return this.begin(held);
    this.parts.window.park(held);
    if (!lane.isParked && lane.row.length > LONG_ROW && this.parts.window.isCrowded) this.parkFollowers(lane);
  }

  /** What a read brought that began before a key was parked has been accepted by now. */
  beforeRead(): void {
    const before = this.vacated;
    this.vacated = new Set();
    for (const key of before) {
      const lane = this.lanes.get(key);
      if (lane?.isEmpty) lane.isParked = false;
    }
    this.lanes.sweep();
  }

  mayStart(held: HeldDelivery, now: number): boolean {
    const inTime = now < this.lease.until;
    if (!this.paused && !this.isBroken && inTime) return true;
    this.keptBack.add(held);
    if (!inTime) this.parts.onChange();
    return false;
  }

  /** Whatever wakes the key has to wait until all that belongs behind it is there. */
  settle(held: HeldDelivery, settlement: Settlement): void {
    const lane = this.lanes.get(held.delivery.message.orderingKey);
    if (!lane) return this.send(held, settlement);
    if (endsHere(settlement)) lane.isParked = true;
    if (lane.isParked && held.delivery.source !== 'parked') {
      if (settlement.type === 'ack') settlement = { ...settlement, leadsParked: true };
      this.parkFollowers(lane);
    }
    if (lane.leaving === 0) return this.send(held, settlement);
    held.state = 'settling';
    lane.deferred = { held, settlement };
  }

  settled(held: HeldDelivery, settlement: Settlement, answer: SettleAnswer): void {
    const { dispatcher, onChange } = this.parts;
    if (this.isClosed) return dispatcher.letGo(held);
    if (answer === 'settled') {
      this.finish(held, settlement);
    } else {
      // Its lane goes no further: the follower must not overtake what may have to run again.
      this.isBroken = true;
      this.drop(held);
    }
    if (this.isBroken) for (const { deferred } of this.lanes.values()) if (deferred) this.drop(deferred.held);
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
    this.isClosed = true;
    const leftRunning = new Map([...this.parts.leftRunning].filter(([, { isRunning }]) => isRunning));
    for (const { deferred } of this.lanes.values()) if (deferred) this.drop(deferred.held);
    for (const held of this.inHand()) {
      if (held.isRunning) {
        leftRunning.set(held.delivery.message.orderingKey, held);
        this.parts.dispatcher.lose(held);
      } else if (held.state !== 'settling') {
        this.parts.dispatcher.letGo(held);
      }
    }
    this.lanes.clear();
    this.keptBack.clear();
    return leftRunning;
  }

  private *inHand(): Generator<HeldDelivery> {
    for (const held of this.parts.dispatcher.inHand) if (held.lanes === this) yield held;
  }

  private holds(matches: (held: HeldDelivery) => boolean): boolean {
    for (const held of this.inHand()) if (matches(held)) return true;
    return false;
  }

  /** The head of a lane, or a message without a key. */
  private begin(held: HeldDelivery): void {
    if (held.state === 'gone') return;
    const key = held.delivery.message.orderingKey;
    const left = key === '' ? undefined : this.parts.leftRunning.get(key);
    if (!left?.isRunning) return this.parts.dispatcher.ready(held);
    this.parts.window.park(held);
    left.onGone = () => this.begin(held);
  }

  private parkFollowers(lane: Lane): void {
    lane.isParked = true;
    const [head, ...followers] = lane.row;
    if (head) lane.row = [head, ...followers.filter(({ delivery }) => delivery.source === 'parked')];
    for (const held of followers) if (held.delivery.source !== 'parked') this.leave(lane, held);
  }

  /** Unless a head is still to be settled here, nobody would wake the key if it is not parked any more by then. */
  private leave(lane: Lane, held: HeldDelivery): void {
    lane.leaving++;
    this.send(held, lane.willWake ? { type: 'follow' } : { type: 'follow', wake: true });
  }

  private send(held: HeldDelivery, settlement: Settlement): void {
    // Nobody could resume or skip what has no key.
    const { orderingKey } = held.delivery.message;
    const isKeyless = settlement.type === 'park' && orderingKey === '';
    this.parts.dispatcher.settler.settle(held, isKeyless ? { ...settlement, type: 'dead-letter' } : settlement);
  }

  private finish(held: HeldDelivery, settlement: Settlement): void {
    this.drop(held);
    const key = held.delivery.message.orderingKey;
    const lane = this.lanes.get(key);
    if (!lane) return;
    if (settlement.type === 'follow') {
      lane.leaving--;
    } else if (endsHere(settlement)) {
      // The rest of its page stays with the broker too, and comes again behind it.
      for (const follower of lane.row) this.drop(follower);
      lane.row = [];
    } else if (lane.head === held) {
      lane.row.shift();
      if (lane.head) this.begin(lane.head);
    }
    if (lane.leaving === 0 && lane.deferred) {
      const { deferred } = lane;
      lane.deferred = undefined;
      this.send(deferred.held, deferred.settlement);
    }
    if (lane.isParked && lane.isEmpty) this.vacated.add(key);
  }

  private drop(held: HeldDelivery): void {
    this.parts.dispatcher.letGo(held);
  }
}

/** The key waits at the broker from then on. */
function endsHere({ type }: Settlement): boolean {
  return type === 'retry' || type === 'release' || type === 'park';
}
