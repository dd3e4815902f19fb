// From an arrived delivery to its settlement: route by tag, start when there is room, run the handler, settle.
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';
import { ClosedError, LeaseLostError } from '../errors.js';
import type { MqEvents } from '../events.js';
import { announce, announceState } from './announce.js';
import type { Delivery, Settlement } from './delivery.js';
import type { DeliveryFlow } from './delivery-flow.js';
import { HandlerPool } from './handler-pool.js';
import { HeldDelivery } from './held-delivery.js';
import { InHand } from './in-hand.js';
import type { Listener } from './listener.js';
import { leaveToOthers, settlementOf, SKIP, type Expired, type HandlerResult } from './settlement.js';
import type { Admission } from '../control/admission.js';
import type { ConsumePause } from '../control/consume-pause.js';
import type { TagUnion } from '../control/tag-union.js';
import { Settler, type SettleAnswer } from './settler.js';
import type { Subscription } from './subscription.js';
import type { SoloGate } from './solo-gate.js';
import type { Window } from './window.js';

export interface DispatcherParts {
  readonly broker: Pick<Broker, 'settle' | 'markStarted' | 'now'>;
  readonly clock: Clock;
  readonly events: MqEvents;
  readonly gate: SoloGate;
  readonly window: Window;
  readonly listeners: readonly Listener[];
  readonly subscription: Pick<Subscription, 'ttlMs'>;
  readonly pause: ConsumePause;
  readonly admission: Pick<Admission, 'isLimited' | 'guard' | 'enter' | 'hasRoom' | 'undo' | 'left'>;
  readonly tags: TagUnion;
  /** For errors: topic and group. */
  readonly name: string;
  /** Tells subscribers of a settlement that took effect. @default the events of a group */
  readonly announce?: (held: HeldDelivery, settlement: Settlement) => void;
}

/** Handlers of so many take longer than it takes to ask for more; fewer are started at once. */
const MANY = 16;

/** From this many crashes on a delivery runs alone. */
const CRASHES_TO_RUN_ALONE = 2;

/**
 * Every delivery in hand is settled at most once, and leaves `inHand` exactly once: that is what returns its place in
 * the window. Handlers of a listener that run at once never exceed its concurrency.
 */
export class Dispatcher {
  readonly inHand = new InHand();
  readonly settler: Settler;
  private readonly pools: readonly HandlerPool[];
  private readonly flow: DeliveryFlow;
  private readonly offReopen: () => void;
  private readonly idleWaiters: (() => void)[] = [];
  private isPumpPlanned = false;
  /** Starts wait for the next read to leave. */
  private isHolding = false;
  private stopped = false;
  /** Those that wait to run alone. */
  private solos = 0;

  constructor(
    private readonly parts: DispatcherParts,
    createFlow: (dispatcher: Dispatcher) => DeliveryFlow,
  ) {
    const { broker, clock, events, name, gate, window } = parts;
    const began = (held: HeldDelivery): void => window.settle(held);
    this.settler = new Settler({ broker, clock, events, name, began, answered: this.answered.bind(this) });
    this.flow = createFlow(this);
    this.pools = parts.listeners.map((listener) => this.createPool(listener));
    this.offReopen = gate.onReopen(() => this.pumpSoon());
    parts.admission.guard({
      running: () => this.pools.reduce((sum, { runs }) => sum + runs, 0),
      wanted: () => this.wantedStarts(),
      wake: () => this.pumpSoon(),
    });
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  /** A read of the shard is about to be asked for. */
  beforeRead(shard: number): void {
    this.inHand.forgetEnded(shard);
    this.flow.beforeRead(shard);
  }

  /**
   * What a read brought.
   * @param isFollowed `startHeld` will be called when the next read has left, or none will. Many deliveries begin only then,
   * so that the server works at the next ones while handlers run
   */
  acceptRead(deliveries: readonly Delivery[], isFollowed = false): void {
    if (isFollowed && deliveries.length >= MANY) this.isHolding = true;
    for (const delivery of deliveries) {
      const known = this.inHand.find(delivery);
      if (known) known.delivery.leaseUntil = Math.max(known.delivery.leaseUntil, delivery.leaseUntil);
      else this.accept(delivery);
    }
  }

  /** The next read has left, or there will be none for now. */
  startHeld(): void {
    if (!this.isHolding) return;
    this.isHolding = false;
    this.pumpSoon();
  }

  /** Leases that had expired and are ours now; returns those that are new to us. */
  acceptReclaimed(deliveries: readonly Delivery[]): Delivery[] {
    return deliveries.filter((delivery) => {
      const known = this.inHand.find(delivery);
      // After a long pause it may be our own lease that expired, and its handler still runs.
      if (known && known.state !== 'gone' && delivery.isReplayed) this.follow(known, delivery);
      else if (known && known.state !== 'gone') known.delivery.leaseUntil = delivery.leaseUntil;
      else this.accept(delivery);
      return !known || known.state === 'gone';
    });
  }

  /** A replay has taken a delivery from us and given it to us anew: the second run begins when the first has ended. */
  private follow(known: HeldDelivery, delivery: Delivery): void {
    known.onGone = () => this.accept(delivery);
    if (known.state !== 'settling' && !known.lost) this.lose(known);
  }

  /** What arrives after `stop` is given back at once. */
  private accept(delivery: Delivery): void {
    const held = new HeldDelivery(delivery, this.poolOf(delivery.message.tag));
    this.inHand.add(held);
    if (this.stopped) {
      this.flow.handBack(held);
    } else {
      this.flow.accept(held);
    }
  }

  /** Nothing stands before this delivery any more: it starts when its listener has room. */
  ready(held: HeldDelivery): void {
    held.state = 'waiting';
    this.parts.window.admit(held);
    if (!held.pool) return this.passOver(held);
    held.pool.waiting.add(held);
    this.pumpSoon();
  }

  /** No pause holds starts back any more. */
  resume(): void {
    this.pumpSoon();
  }

  /** The delivery is no longer ours: nothing of it is written, a running handler is told. */
  lose(held: HeldDelivery): void {
    announceState(this.parts.events, 'lease-lost', held);
    if (!held.isRunning) return this.letGo(held);
    held.lost = true;
    held.context!.abort(new LeaseLostError(held.delivery.message.messageId));
  }

  /** Ends our interest in the delivery. Without effect the second time. */
  letGo(held: HeldDelivery): void {
    if (held.state === 'gone') return;
    held.state = 'gone';
    held.pool?.waiting.delete(held);
    held.withdraw?.();
    this.inHand.end(held);
    this.parts.window.leave(held);
    held.pool?.leaveGate(held);
    held.onGone?.();
    if (this.inHand.size === 0) for (const wake of this.idleWaiters.splice(0)) wake();
  }

  /** Starts no further handler and gives back at once what has not started. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.offReopen();
    for (const held of this.inHand) {
      if (held.state !== 'waiting') continue;
      held.pool?.waiting.delete(held);
      held.withdraw?.();
      this.flow.handBack(held);
    }
  }

  /** Resolves when nothing is in our hands. */
  async idle(): Promise<void> {
    while (this.inHand.size > 0) await new Promise<void>((resolve) => this.idleWaiters.push(resolve));
  }

  /** After `stop`: aborts the handlers that still run and gives their messages back; their results are ignored. */
  abandon(): void {
    for (const held of this.inHand) {
      if (!held.isRunning) continue;
      held.context!.abort(new ClosedError('consumer'));
      if (held.state === 'running') held.pool!.leave(held);
      if (held.lost) this.letGo(held);
      else this.flow.handBack(held);
    }
    for (const pool of this.pools) pool.close();
    this.settler.close();
  }

  /** No listener here takes its tag: skipped, unless it is known to be another member's. */
  private passOver(held: HeldDelivery): void {
    const { tag } = held.delivery.message;
    const { tags } = this.parts;
    this.flow.settle(held, tags.isAnothers(tag) ? leaveToOthers(tags.handBackMs(tag)) : SKIP);
  }

  private wantedStarts(): number {
    if (this.stopped || this.parts.pause.isPaused) return 0;
    return this.pools.reduce((sum, { startable }) => sum + startable, this.solos);
  }

  private poolOf(tag: string): HandlerPool | undefined {
    return this.pools.find(({ listener }) => listener.spec.tags.matches(tag));
  }

  /** Once for all that became possible in this turn. */
  private pumpSoon(): void {
    if (this.isPumpPlanned || this.isHolding) return;
    this.isPumpPlanned = true;
    queueMicrotask(() => {
      this.isPumpPlanned = false;
      this.pump();
    });
  }

  private pump(): void {
    const { admission, clock, gate, pause } = this.parts;
    if (this.stopped || pause.isPaused) return;
    const now = clock.monotonic();
    const starts: HeldDelivery[] = [];
    for (const pool of this.pools) {
      // Whoever is first leaves, or ends this.
      for (let held = pool.waiting.first; held; held = pool.waiting.first) {
        if (!pool.hasRoom || !gate.isOpen) break;
        if (admission.isLimited && !admission.enter(now)) break;
        pool.waiting.delete(held);
        if (this.isSpent(held)) admission.undo(now);
        else if (held.delivery.state.crashes >= CRASHES_TO_RUN_ALONE) this.queueAlone(held);
        else if (this.enter(held, now)) starts.push(held);
        else admission.undo(now);
      }
    }
    if (starts.length > 0) this.run(starts);
  }

  private queueAlone(held: HeldDelivery): void {
    const { admission, clock, gate, pause } = this.parts;
    let hadItsTurn = false;
    this.solos++;
    const withdraw = gate.runAlone(() => {
      held.withdraw = undefined;
      hadItsTurn = true;
      this.solos--;
      const now = clock.monotonic();
      if (pause.isPaused || (admission.isLimited && !admission.hasRoom(now))) {
        held.pool!.waiting.add(held);
        return false;
      }
      if (!this.enter(held, now)) return false;
      this.run([held]);
      return true;
    });
    // When nothing runs its turn comes at once.
    if (hadItsTurn) return;
    held.withdraw = () => {
      held.withdraw = undefined;
      this.solos--;
      withdraw();
    };
  }

  private isSpent(held: HeldDelivery): boolean {
    const settlement = settlementOf({ type: 'starting' }, held.delivery.state, held.pool!.listener.spec);
    if (settlement) this.flow.settle(held, settlement);
    return settlement !== undefined;
  }

  private enter(held: HeldDelivery, now: number): boolean {
    return this.flow.mayStart(held, now) && held.pool!.enter(held, now);
  }

  private run(starts: readonly HeldDelivery[]): void {
    // First, so that a broker can tell both in one call.
    this.settler.flush();
    void this.noteStarts(starts);
    for (const held of starts) void held.pool!.run(held);
  }

  /** Nobody waits for it: a note that is lost only means that a crash from here on is not counted. Never rejects. */
  private async noteStarts(starts: readonly HeldDelivery[]): Promise<void> {
    try {
      await this.parts.broker.markStarted(starts.map(({ delivery }) => delivery));
    } catch (error) {
      this.parts.events.emit('loop-error', { loop: `mark started ${this.parts.name}`, error });
    }
  }

  /** The one place where a result becomes a settlement. */
  private ended(held: HeldDelivery, result: HandlerResult | Expired): void {
    if (result.type !== 'expired') held.result = result;
    const { spec } = held.pool!.listener;
    this.flow.settle(held, settlementOf(result, held.delivery.state, spec, held.context?.message.maxAttempts));
  }

  /** @param ttlMs the message's own; the broker's clock is asked only when there is one */
  private expiry({ delivery: { readyAt } }: HeldDelivery, ttlMs = this.parts.subscription.ttlMs): Expired | undefined {
    if (ttlMs === undefined) return undefined;
    const ageMs = this.parts.broker.now() - readyAt;
    return ageMs > ttlMs ? { type: 'expired', ttlMs, ageMs } : undefined;
  }

  private answered(held: HeldDelivery, settlement: Settlement, answer: SettleAnswer): void {
    // The broker knows of a registration that we have not seen yet, or whose member is gone.
    if (answer === 'wanted')
      return this.flow.settle(held, leaveToOthers(this.parts.tags.handBackMs(held.delivery.message.tag)));
    if (answer === 'settled') this.announce(held, settlement);
    else if (answer === 'lease-lost') announceState(this.parts.events, 'lease-lost', held);
    this.flow.settled(held, settlement, answer);
  }

  private announce(held: HeldDelivery, settlement: Settlement): void {
    if (this.parts.announce) this.parts.announce(held, settlement);
    else announce(this.parts.events, held, settlement);
  }

  private createPool(listener: Listener): HandlerPool {
    const { clock, events, gate } = this.parts;
    return new HandlerPool({
      clock,
      events,
      gate,
      listener,
      waitsForStalled: this.flow.waitsForStalled,
      ended: (held, result) => this.ended(held, result),
      expiry: (held, ttlMs) => this.expiry(held, ttlMs),
      endedLost: (held) => this.letGo(held),
      hangs: (held) => this.parts.window.stall(held),
      placeFreed: () => {
        if (this.parts.admission.isLimited) this.parts.admission.left();
        this.pumpSoon();
      },
    });
  }
}
