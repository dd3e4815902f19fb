// What feeds the listeners of one group on one topic: receive → dispatch → settle, until it is stopped.
import type { BackgroundLoop } from '../background-loop.js';
import type { LoopHealth } from '../loop-health.js';
import type { BrokerPorts } from '../broker.js';
import type { Clock } from '../clock.js';
import { Admission } from '../control/admission.js';
import { ConsumePause } from '../control/consume-pause.js';
import { GroupWatch } from '../control/group-watch.js';
import { TagUnion } from '../control/tag-union.js';
import type { MqEvents } from '../events.js';
import { LeaseKeeper } from '../lease/lease-keeper.js';
import { LeaseReclaimer } from '../lease/lease-reclaimer.js';
import { OrderedFlow } from '../ordering/ordered-flow.js';
import { QueueLanes } from '../ordering/queue-lanes.js';
import { QueueOwner } from '../ordering/queue-owner.js';
import { named } from './announce.js';
import { ConcurrentFlow } from './concurrent-flow.js';
import type { Delivery } from './delivery.js';
import { Dispatcher } from './dispatcher.js';
import { Fetcher } from './fetcher.js';
import type { Listener } from './listener.js';
import type { SoloGate } from './solo-gate.js';
import type { Subscription } from './subscription.js';
import { Window } from './window.js';

export interface ConsumerParts {
  readonly ports: BrokerPorts;
  readonly clock: Clock;
  readonly events: MqEvents;
  readonly gate: SoloGate;
  /** The registered group; all listeners are of it. */
  readonly subscription: Subscription;
  readonly listeners: readonly Listener[];
  /** Declares topic and group again. */
  readonly recover: () => Promise<void>;
}

/** How long the last settlements, and then giving up the queues, may still take after the shutdown time. */
const LAST_CALLS_MS = 5000;

/**
 *   started --stop--> no more fetching, not-started ones handed back --all ended, or time over--> rest handed back, left
 *
 * The leases are kept until the very end: until then no other consumer may run what still runs here.
 */
export class Consumer {
  private readonly window: Window;
  private readonly dispatcher: Dispatcher;
  /** Bring deliveries; stopped first. */
  private readonly feeders: BackgroundLoop[];
  private readonly keeper: LeaseKeeper | QueueOwner;
  private readonly pause: ConsumePause;
  private readonly tags: TagUnion;
  private readonly admission: Admission;
  private readonly watch: GroupWatch;
  private stopping?: Promise<void>;

  constructor(private readonly parts: ConsumerParts) {
    const { subscription, listeners } = parts;
    const sum = (pick: (listener: Listener) => number): number =>
      listeners.reduce((total, listener) => total + pick(listener), 0);
    this.window = new Window(
      sum(({ spec }) => spec.concurrency),
      sum(({ spec }) => spec.prefetch),
      sum(({ spec }) => spec.prefetchBytes),
      listeners.every(({ spec }) => spec.prefetchGrows),
    );
    const { topic, group, consumer } = subscription;
    this.pause = new ConsumePause({ topic, group, events: parts.events, resumed: () => this.dispatcher.resume() });
    this.tags = new TagUnion(consumer);
    this.admission = this.createAdmission();
    this.watch = this.createWatch();
    let keeper!: LeaseKeeper | QueueOwner;
    this.dispatcher = new Dispatcher(
      {
        ...parts,
        broker: parts.ports.broker,
        window: this.window,
        pause: this.pause,
        admission: this.admission,
        tags: this.tags,
        name: this.name,
      },
      (dispatcher) => {
        if (subscription.mode === 'ordered') {
          keeper = this.createOwner(dispatcher);
          return new OrderedFlow(dispatcher, keeper, parts.events);
        }
        const flow = new ConcurrentFlow(dispatcher, () => keeper.wakeIn(0));
        keeper = this.createKeeper(dispatcher, flow);
        return flow;
      },
    );
    this.keeper = keeper;
    this.feeders = Array.from({ length: subscription.shards }, (_, shard) => this.createFetcher(shard));
    if (subscription.mode === 'concurrent') this.feeders.push(this.createReclaimer());
  }

  get name(): string {
    const { topic, group } = this.parts.subscription;
    return `${topic}/${group}`;
  }

  /** Learns the state of the group: a group that is paused must not begin, not even for a moment. Rejects like a call. */
  async prepare(): Promise<void> {
    await this.watch.beat();
  }

  start(): void {
    for (const loop of this.loops()) loop.start();
  }

  /** @param timeoutMs how long running handlers may take before their messages are handed back */
  stop(timeoutMs: number): Promise<void> {
    this.stopping ??= this.shutDown(timeoutMs);
    return this.stopping;
  }

  health(): LoopHealth[] {
    return this.loops().map((loop) => loop.health());
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    const { dispatcher, keeper } = this;
    dispatcher.stop();
    if (keeper instanceof QueueOwner) keeper.retire();
    // A read that waits is ended by its signal; what it has leased comes in and is handed back.
    const drained = Promise.all(this.feeders.map((loop) => loop.stop())).then(() => dispatcher.idle());
    await this.within(timeoutMs, drained);
    dispatcher.abandon();
    // The queues go last: with them goes the right to settle.
    await this.within(LAST_CALLS_MS, dispatcher.settler.idle());
    await this.within(
      LAST_CALLS_MS,
      Promise.all([keeper instanceof QueueOwner ? keeper.leave() : keeper.stop(), this.leave()]),
    );
  }

  /** Waits for `done`, but no longer than `ms`: a broker that does not answer must not keep a process from ending. */
  private async within(ms: number, done: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    await Promise.race([done, this.parts.clock.wait(ms, over.signal)]);
    over.abort();
  }

  private async leave(): Promise<void> {
    await Promise.all([this.watch.stop(), this.admission.stop()]);
    await this.parts.ports.control
      .leave(this.parts.subscription)
      .catch((error: unknown) => this.report(error, `leave ${this.name}`));
  }

  private loops(): BackgroundLoop[] {
    return [this.watch, this.keeper, ...this.feeders];
  }

  private createAdmission(): Admission {
    const { ports, clock, subscription, listeners } = this.parts;
    const rate = listeners.find(({ spec }) => spec.rateLimit)?.spec.rateLimit;
    const concurrency = listeners.find(({ spec }) => spec.groupConcurrency)?.spec.groupConcurrency;
    const code = { rate, concurrency };
    return new Admission({ control: ports.control, clock, subscription, code, onError: this.report });
  }

  private createWatch(): GroupWatch {
    const { ports, clock, events, subscription } = this.parts;
    const { pause, tags, admission } = this;
    return new GroupWatch({
      control: ports.control,
      clock,
      events,
      subscription,
      pause,
      tags,
      admission,
      onError: this.report,
    });
  }

  private createKeeper(dispatcher: Dispatcher, flow: ConcurrentFlow): LeaseKeeper {
    const { ports, clock, subscription } = this.parts;
    return new LeaseKeeper({
      broker: ports.broker,
      clock,
      name: this.name,
      leaseMs: subscription.leaseMs,
      inHand: dispatcher.inHand,
      onLost: (held) => dispatcher.lose(held),
      onRenewed: () => flow.renewed(),
      onError: this.report,
    });
  }

  private createOwner(dispatcher: Dispatcher): QueueOwner {
    const { ports, clock, subscription } = this.parts;
    const owner: QueueOwner = new QueueOwner({
      leases: ports.leases,
      clock,
      subscription,
      name: this.name,
      createLanes: (lease, leftRunning) =>
        new QueueLanes(lease, { dispatcher, window: this.window, leftRunning, onChange: () => owner.wakeIn(0) }),
      onError: this.report,
    });
    return owner;
  }

  private createFetcher(shard: number): Fetcher {
    const { ports, clock, subscription, recover } = this.parts;
    return new Fetcher({
      broker: ports.broker,
      clock,
      subscription,
      shard,
      window: this.window,
      pause: this.pause,
      queues: this.keeper instanceof QueueOwner ? this.keeper : undefined,
      name: this.name,
      beforeRead: () => this.dispatcher.beforeRead(shard),
      accept: (deliveries) => this.dispatcher.acceptRead(deliveries, true),
      afterRead: () => this.dispatcher.startHeld(),
      recover,
      onError: this.report,
    });
  }

  private createReclaimer(): LeaseReclaimer {
    const { ports, clock, subscription, events } = this.parts;
    return new LeaseReclaimer({
      broker: ports.broker,
      clock,
      subscription,
      window: this.window,
      name: this.name,
      accept: (deliveries) => {
        for (const delivery of this.dispatcher.acceptReclaimed(deliveries)) this.announceReclaimed(events, delivery);
      },
      onError: this.report,
    });
  }

  private announceReclaimed(events: MqEvents, delivery: Delivery): void {
    if (events.wants('reclaimed'))
      events.emit('reclaimed', { ...named({ delivery }), crashes: delivery.state.crashes });
  }

  private readonly report = (error: unknown, loop: string): void => {
    this.parts.events.emit('loop-error', { loop, error });
  };
}
