// What feeds the broadcast listeners of one group on one topic: read → dispatch → settle in this process, until it is
// stopped. The dispatcher is that of every other mode; only nobody but this process is told of a settlement.
import type { BackgroundLoop } from '../background-loop.js';
import type { BrokerPorts } from '../broker.js';
import type { Clock } from '../clock.js';
import { announce, named } from '../consumer/announce.js';
import type { Settlement } from '../consumer/delivery.js';
import { Dispatcher, type DispatcherParts } from '../consumer/dispatcher.js';
import type { HeldDelivery } from '../consumer/held-delivery.js';
import type { Listener } from '../consumer/listener.js';
import type { SoloGate } from '../consumer/solo-gate.js';
import { Window } from '../consumer/window.js';
import type { MqEvents } from '../events.js';
import type { LoopHealth } from '../loop-health.js';
import { BroadcastFetcher } from './broadcast-fetcher.js';
import { BroadcastFlow } from './broadcast-flow.js';
import type { BroadcastPage, BroadcastPosition } from './broadcast-page.js';
import type { BroadcastSpec } from './broadcast-reader.js';
import { deliveryOf } from './delivery-of.js';
import { nobodysMember } from './nobodys-member.js';
import { PositionKeeper } from './position-keeper.js';
import { ReadProgress } from './read-progress.js';

export interface BroadcastConsumerParts {
  readonly ports: BrokerPorts;
  readonly clock: Clock;
  readonly events: MqEvents;
  readonly gate: SoloGate;
  readonly spec: BroadcastSpec;
  /** The topic's time to live in ms, if it has one. */
  readonly ttlMs: number | undefined;
  /** Where to begin, by shard and queue: what `open` returned. */
  readonly positions: readonly (readonly BroadcastPosition[])[];
  readonly listeners: readonly Listener[];
}

/** How long the last keeping of the places may still take after the shutdown time. */
const LAST_CALLS_MS = 5000;

/** Each settlement takes effect at once: a broadcast delivery has one owner for life, the process that read it. */
const SETTLES_HERE: Omit<DispatcherParts['broker'], 'now'> = {
  settle: async (items) => items.map(() => 'settled' as const),
  markStarted: async () => undefined,
};

export class BroadcastConsumer {
  private readonly window: Window;
  private readonly dispatcher: Dispatcher;
  private readonly flow: BroadcastFlow;
  private readonly progress: readonly ReadProgress[];
  private readonly fetchers: BroadcastFetcher[];
  private readonly keeper: PositionKeeper | undefined;
  private stopping?: Promise<void>;

  constructor(private readonly parts: BroadcastConsumerParts) {
    const { positions, listeners, clock, spec, ports, ttlMs } = parts;
    const sum = (pick: (listener: Listener) => number): number =>
      listeners.reduce((total, listener) => total + pick(listener), 0);
    const window = new Window(
      sum((listener) => listener.spec.concurrency),
      sum((listener) => listener.spec.prefetch),
      sum((listener) => listener.spec.prefetchBytes),
    );
    this.window = window;
    this.progress = positions.map((places) => new ReadProgress(places));
    let flow!: BroadcastFlow;
    this.dispatcher = new Dispatcher(
      {
        ...parts,
        broker: { ...SETTLES_HERE, now: () => ports.broker.now() },
        subscription: { ttlMs },
        ...nobodysMember(spec, parts.events),
        window,
        name: this.name,
        announce: this.settled.bind(this),
      },
      (dispatcher) => (flow = new BroadcastFlow(dispatcher, window, clock)),
    );
    this.flow = flow;
    this.fetchers = positions.map((_, shard) => this.createFetcher(shard));
    if (spec.instance !== undefined) {
      const { progress, name, report: onError } = this;
      this.keeper = new PositionKeeper({ reader: ports.broadcast, clock, spec, progress, name, onError });
    }
  }

  get name(): string {
    const { topic, group } = this.parts.spec;
    return `${topic}/${group}`;
  }

  start(): void {
    for (const loop of this.loops()) loop.start();
  }

  /** @param timeoutMs how long running handlers may take; what has not ended then is aborted and forgotten */
  stop(timeoutMs: number): Promise<void> {
    this.stopping ??= this.shutDown(timeoutMs);
    return this.stopping;
  }

  health(): LoopHealth[] {
    return this.loops().map((loop) => loop.health());
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    const { dispatcher, fetchers, flow, keeper } = this;
    flow.close();
    dispatcher.stop();
    const drained = Promise.all(fetchers.map((loop) => loop.stop())).then(() => dispatcher.idle());
    await this.within(timeoutMs, drained);
    dispatcher.abandon();
    if (keeper)
      await this.within(
        LAST_CALLS_MS,
        keeper.stop().then(() => keeper.runOnce()),
      );
  }

  /** Waits for `done`, but no longer than `ms`: a broker that does not answer must not keep a process from ending. */
  private async within(ms: number, done: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    await Promise.race([done, this.parts.clock.wait(ms, over.signal)]);
    over.abort();
  }

  private loops(): BackgroundLoop[] {
    return this.keeper ? [this.keeper, ...this.fetchers] : this.fetchers;
  }

  private createFetcher(shard: number): BroadcastFetcher {
    const { ports, clock, spec, positions } = this.parts;
    return new BroadcastFetcher({
      reader: ports.broadcast,
      clock,
      spec,
      shard,
      shards: positions.length,
      window: this.window,
      name: this.name,
      from: () => this.progress[shard]!.next,
      accept: (page) => this.accept(shard, page),
      onError: this.report,
    });
  }

  private accept(shard: number, page: BroadcastPage): void {
    const { spec, positions, events } = this.parts;
    const { topic, group } = spec;
    this.progress[shard]!.read(page);
    for (const { queue, missed } of page.gaps)
      events.emit('gap', { topic, group, queue: shard * positions[shard]!.length + queue, missed });
    this.dispatcher.inHand.forgetEnded(shard);
    this.dispatcher.acceptRead(page.entries.map((entry) => deliveryOf(spec, shard, entry)));
  }

  /** There are no dead letters here: the report is all that is left of what could not be handled. */
  private settled(held: HeldDelivery, settlement: Settlement): void {
    const { events } = this.parts;
    if (settlement.type !== 'retry' && settlement.type !== 'release')
      this.progress[held.delivery.shard]!.ended(held.delivery);
    if (settlement.type !== 'dead-letter') return announce(events, held, settlement);
    const error = held.result?.type === 'threw' ? held.result.error : undefined;
    const { reason, text, state } = settlement;
    events.emit('broadcast-failed', { ...named(held), reason, text, failures: state.failures, error });
  }

  private readonly report = (error: unknown, loop: string): void => {
    this.parts.events.emit('loop-error', { loop, error });
  };
}
