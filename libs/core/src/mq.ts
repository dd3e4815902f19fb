// One connection's producer, consumers and upkeep, without any framework: what @millrace/nestjs wraps.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { LoopHealth } from './loop-health.js';
import type { BrokerAdmin } from './broker-admin.js';
import { BroadcastConsumer } from './broadcast/broadcast-consumer.js';
import type { BrokerPorts } from './broker.js';
import { systemClock, type Clock } from './clock.js';
import { Consumer } from './consumer/consumer.js';
import { checkBeside, type Listener } from './consumer/listener.js';
import { listenerSpec, type ListenerOptions, type ListenerSpec } from './consumer/listener-options.js';
import type { Handler, Middleware } from './consumer/mq-context.js';
import { SoloGate } from './consumer/solo-gate.js';
import type { GroupSpec } from './consumer/subscription.js';
import type { DeadLetterHandler, DeadLetterListenerOptions } from './dead-letter/dead-letter-listener.js';
import { DeadLetterListeners } from './dead-letter/dead-letter-listeners.js';
import { delayLevels, ROCKETMQ_DELAY_LEVELS, type DelayLevels } from './delay/delay-levels.js';
import { toMs, type Duration } from './duration.js';
import { ClosedError, InvalidOptionError } from './errors.js';
import { MqEvents } from './events.js';
import { OnceGuard } from './idempotency/once-guard.js';
import { LocalTransactions } from './half/local-transactions.js';
import type { TransactionCheck, TransactionListenerOptions } from './half/transaction-listener.js';
import { TransactionListeners } from './half/transaction-listeners.js';
import { compose } from './middleware/middleware.js';
import { checkOptions } from './option-check.js';
import { durabilityLevel, type Durability } from './producer/durability.js';
import { Producer } from './producer/producer.js';
import { dependable } from './retry/backoff.js';
import { Schedules } from './schedule/schedules.js';
import { TopicRegistry } from './topic-registry.js';
import type { TopicOptions, TopicSettings } from './topic.js';
import { Upkeep } from './upkeep.js';

export interface MqOptions {
  /** Topics whose settings differ from the defaults; others are created on first use. @default [] */
  topics?: readonly TopicOptions[];
  /** Create topics that nobody declared on first use; declared ones always are. @default true */
  autoCreate?: boolean;
  /** Positional table of delay levels, level 1 first; the retry ladder climbs it too. @default RocketMQ's 18 levels */
  delayLevels?: readonly Duration[];
  /** Around every handler; the first is the outermost. @default [] */
  middleware?: readonly Middleware[];
  /** How safe a message must be before its send is acknowledged, for sends that do not say. @default 'memory' */
  durability?: Durability;
  /** How long `stopConsuming` waits for running handlers before it hands their messages back. @default '30s' */
  shutdownTimeout?: Duration;
  /** @default systemClock */
  clock?: Clock;
}

export const MQ_DEFAULTS = {
  topics: [],
  autoCreate: true,
  delayLevels: ROCKETMQ_DELAY_LEVELS,
  middleware: [],
  durability: 'memory',
  shutdownTimeout: '30s',
  clock: systemClock,
} as const satisfies MqOptions;

/** What `mq.listen` may be told besides the options. */
export interface ListenExtra {
  /** Shown in errors. @default the handler function's name */
  name?: string;
  /** Around this handler only, inside the middleware of `MqOptions`. @default [] */
  middleware?: readonly Middleware[];
}

/**
 *   stopped <--stopConsuming-- --start--> consuming          any --close--> closed (for good)
 *
 * The producer works from the beginning until `close`.
 */
export class Mq {
  readonly events = new MqEvents();
  readonly producer: Producer;
  readonly admin: BrokerAdmin;
  /** Recurring messages. */
  readonly schedules: Schedules;
  private readonly clock: Clock;
  private readonly levels: DelayLevels;
  private readonly middleware: readonly Middleware[];
  private readonly shutdownTimeoutMs: number;
  private readonly topics: TopicRegistry;
  private readonly upkeep: Upkeep;
  private readonly gate = new SoloGate();
  /** Listeners by topic and group. */
  private readonly groups = new Map<string, Listener[]>();
  private readonly deadLetterListeners: DeadLetterListeners;
  private readonly transactionListeners: TransactionListeners;
  private consumers: (Consumer | BroadcastConsumer)[] = [];
  private starting?: Promise<void>;
  /** True from the success of a start to its stop. */
  private begun = false;
  private stopping?: Promise<void>;
  private closing?: Promise<void>;

  /** Opens nothing: the broker connects with the first use. Throws InvalidOptionError. */
  constructor(
    readonly ports: BrokerPorts,
    options: MqOptions = {},
  ) {
    checkOptions('mq', options, Object.keys(MQ_DEFAULTS));
    const clock = options.clock ?? MQ_DEFAULTS.clock;
    this.clock = clock;
    this.admin = ports.admin;
    this.levels = delayLevels(options.delayLevels ?? MQ_DEFAULTS.delayLevels, 'mq.delayLevels');
    this.middleware = options.middleware ?? MQ_DEFAULTS.middleware;
    this.shutdownTimeoutMs = toMs('mq.shutdownTimeout', options.shutdownTimeout ?? MQ_DEFAULTS.shutdownTimeout);
    const { broker } = ports;
    const onSchedules = (settings: TopicSettings): void => void this.schedules.begin(settings);
    this.upkeep = new Upkeep({ broker, control: ports.control, clock, events: this.events, onSchedules });
    const autoCreate = options.autoCreate ?? MQ_DEFAULTS.autoCreate;
    this.topics = new TopicRegistry(broker, autoCreate, (settings) => this.upkeep.begin(settings));
    this.schedules = new Schedules({ store: ports.schedules, broker, topics: this.topics, clock, events: this.events });
    const durability = durabilityLevel('mq.durability', options.durability);
    const declareTopic = (topic: string): Promise<unknown> => this.topics.declare(topic);
    const { half } = ports;
    const listeners = new TransactionListeners({ half, clock, events: this.events, declareTopic });
    this.transactionListeners = listeners;
    const transactions = half && { local: new LocalTransactions({ broker, half, clock }), listeners };
    const { topics, levels } = this;
    this.producer = new Producer({ broker, topics, clock, delayLevels: levels, durability, transactions });
    this.deadLetterListeners = new DeadLetterListeners({
      feed: ports.deadLetters,
      clock,
      events: this.events,
      declareTopic,
    });
    for (const topic of options.topics ?? MQ_DEFAULTS.topics) this.declareTopic(topic);
  }

  /** Declares a topic's settings; before the topic is used. Equal declarations may repeat. Throws InvalidOptionError. */
  declareTopic(options: TopicOptions): void {
    this.topics.add(options);
  }

  /**
   * Registers a listener; consuming begins with `start`. Several listeners of one group on a topic share its messages
   * by tag; each has its own concurrency.
   * Throws InvalidOptionError: a bad option, tags that overlap with another listener's of the group, or a started Mq.
   */
  listen<T = unknown>(options: ListenerOptions, handler: Handler<T>, extra: ListenExtra = {}): void {
    const spec = listenerSpec(options, this.levels);
    const name = extra.name || handler.name || `listener of ${spec.topic}/${spec.group}`;
    if (this.starting || this.closing)
      throw new InvalidOptionError('listener', name, 'must be registered before consuming starts');
    const report = (error: unknown): void => this.events.emit('loop-error', { loop: `back-off of ${name}`, error });
    const listener: Listener = {
      name,
      spec: { ...spec, backoff: dependable(spec.backoff, this.levels, report) },
      // What the body is, only the user can know: `T` is his word for it.
      handler: this.once(spec, name, compose([...this.middleware, ...(extra.middleware ?? [])], handler as Handler)),
    };
    const key = `${spec.topic}/${spec.group}`;
    const others = this.groups.get(key) ?? [];
    checkBeside(listener, others);
    this.groups.set(key, [...others, listener]);
  }

  /**
   * Registers a handler that is told of each new dead letter of the group, at least once, by one process of those that
   * listen, whichever it died in; also over restarts, from the first time that a listener of the group was started. A
   * letter that is redriven or purged before its turn is passed over. One per group in a process; a copy in another one
   * must do the same. Throws InvalidOptionError.
   */
  listenDeadLetters(options: DeadLetterListenerOptions, handler: DeadLetterHandler): void {
    if (this.starting || this.closing)
      throw new InvalidOptionError('deadLetterListener', options, 'must be registered before consuming starts');
    this.deadLetterListeners.add(options, handler);
  }

  /**
   * Registers who is asked about half messages (`producer.sendInTransaction`) whose sender has not decided, in this process or
   * in another one that is gone: each check goes to one of the live processes of the producer group. It answers from `start`,
   * or from the first transactional send, until `close`, whether anything is consumed or not. One per topic and producer group
   * in a process; a copy in another one must do the same. Throws InvalidOptionError.
   */
  transactionListener<T = unknown>(options: TransactionListenerOptions, check: TransactionCheck<T>): void {
    if (this.closing) throw new ClosedError('mq');
    // What the body is, only the user can know: `T` is his word for it.
    this.transactionListeners.add(options, check as TransactionCheck);
  }

  /**
   * Declares topics and groups, then begins to consume. Repeated calls share one start. Rejects with what the broker
   * says (TopicError for settings that differ from the stored ones); nothing consumes then, and it may be tried again.
   */
  start(): Promise<void> {
    if (this.closing) return Promise.reject(new ClosedError('mq'));
    if (!this.starting) {
      const stopped = this.stopping ?? Promise.resolve();
      const starting = stopped.then(() => this.startConsumers());
      this.starting = starting;
      starting.catch(() => {
        if (this.starting === starting) this.starting = undefined;
      });
    }
    return this.starting;
  }

  /**
   * Stops fetching, hands back what has not started, waits for running handlers up to `shutdownTimeout`, then aborts
   * their signals and hands back the rest. Sending goes on; `start` begins anew.
   */
  stopConsuming(): Promise<void> {
    if (!this.starting) return this.stopping ?? Promise.resolve();
    const started = this.starting;
    this.starting = undefined;
    this.stopping = started.then(
      () => this.stopConsumers(),
      () => undefined,
    );
    return this.stopping;
  }

  /** `stopConsuming`, then closes the broker. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  /** Every background loop: the silent ones are the sick ones. */
  health(): LoopHealth[] {
    return [
      ...this.consumers.flatMap((consumer) => consumer.health()),
      ...this.deadLetterListeners.health(),
      ...this.transactionListeners.health(),
      ...this.upkeep.health(),
      ...this.schedules.health(),
    ];
  }

  private once({ idempotent, leaseMs }: ListenerSpec, name: string, handler: Handler): Handler {
    if (!idempotent) return handler;
    const { once: records } = this.ports;
    if (!records) throw new InvalidOptionError('listener.idempotent', true, 'is not offered by this broker');
    const { clock, events } = this;
    const guard = new OnceGuard({ records, clock, events, spec: idempotent, leaseMs, name });
    return (context) => guard.handle(context, () => handler(context));
  }

  private async startConsumers(): Promise<void> {
    await this.topics.declareAll();
    await this.deadLetterListeners.declare();
    await this.transactionListeners.declare();
    this.transactionListeners.begin();
    const consumers = await Promise.all([...this.groups.values()].map((listeners) => this.createConsumer(listeners)));
    this.consumers = consumers;
    this.deadLetterListeners.start();
    for (const consumer of consumers) consumer.start();
    this.begun = true;
  }

  private async createConsumer(listeners: readonly Listener[]): Promise<Consumer | BroadcastConsumer> {
    const { ports, clock, events, gate } = this;
    const { topic, group, mode, leaseMs, startFrom, instance } = listeners[0]!.spec;
    if (mode === 'broadcast') {
      const { ttlMs } = await this.topics.declare(topic);
      const spec = { topic, group, startFrom, instance };
      const positions = await ports.broadcast.open(spec);
      return new BroadcastConsumer({ ports, clock, events, gate, spec, ttlMs, positions, listeners });
    }
    const spec: GroupSpec = {
      topic,
      group,
      mode,
      leaseMs,
      startFrom,
      consumer: consumerName(),
      tags: tagsOf(listeners),
    };
    await this.topics.declare(topic);
    const subscription = await ports.broker.subscribe(spec);
    const recover = async (): Promise<void> => {
      await this.topics.redeclare(topic);
      await ports.broker.subscribe(spec);
    };
    const consumer = new Consumer({ ports, clock, events, gate, subscription, listeners, recover });
    await consumer.prepare();
    return consumer;
  }

  private async stopConsumers(): Promise<void> {
    const { consumers, deadLetterListeners, shutdownTimeoutMs } = this;
    // Together: what dies while consumers drain is told by another process, or after the next start.
    const stopped = consumers.map((consumer) => consumer.stop(shutdownTimeoutMs));
    await Promise.all([...stopped, deadLetterListeners.stop(shutdownTimeoutMs)]);
    this.consumers = [];
    this.begun = false;
  }

  private async closeAll(): Promise<void> {
    // A start that waits for the broker has nothing to drain, and only the end of the connection ends its wait.
    if (this.starting && !this.begun) await this.ports.broker.close();
    await this.stopConsuming();
    this.producer.close();
    await this.transactionListeners.stop(this.shutdownTimeoutMs);
    // Told to stop first, waited for last: a call that hangs is ended by the broker's close.
    const upkeepEnded = Promise.all([this.upkeep.stop(), this.schedules.stop()]);
    await this.ports.broker.close();
    await upkeepEnded;
  }
}

/** What this process takes of the group's messages. */
function tagsOf(listeners: readonly Listener[]): string[] {
  const tags = listeners.flatMap(({ spec }) => [...(spec.tags.tags ?? ['*'])]);
  return tags.toSorted();
}

/** Unique per boot: a process id repeats in containers, and leases of a former life must not look like ours. */
function consumerName(): string {
  return `${hostname()}-${process.pid}-${randomBytes(6).toString('hex')}`;
}
