// What happens inside that an operator or a test wants to know of. One map; @OnMqEvent takes its keys.
import { EventEmitter } from 'node:events';
import type { BrokerWarning } from './broker.js';
import type { DeadLetterReason, FailureRecord, ParkReason } from './consumer/delivery.js';
import type { Pause } from './control/pause.js';
import type { TagSet } from './control/tag-union.js';
import type { ParkedHalf, TransactionDecision } from './half/half-message.js';

interface OfDelivery {
  readonly topic: string;
  readonly group: string;
  readonly messageId: string;
  readonly attempt: number;
}

interface OfHalf {
  readonly topic: string;
  readonly producerGroup: string;
  readonly messageId: string;
  /** How often it was asked about. */
  readonly checks: number;
}

interface OfGroup {
  readonly topic: string;
  readonly group: string;
}

export interface MqEventMap {
  /** A handler finished and its ack was stored. */
  done: OfDelivery & { readonly durationMs: number };
  /** A message is not for the tags of this group; it counts as progress. */
  skipped: OfDelivery;
  /** A message was dropped because its time to live was over (`onExpired: 'drop'`); it never reached the handler. */
  expired: OfDelivery;
  /** A handler failed; the message comes again after `delayMs`. */
  retry: OfDelivery & { readonly delayMs: number; readonly failure: FailureRecord; readonly error: unknown };
  'dead-letter': OfDelivery & { readonly reason: DeadLetterReason; readonly text?: string; readonly error?: unknown };
  /** Ordered mode with `onExhausted: 'park'`: the key waits for `admin.resumeKey` or `admin.skipKey`. */
  'key-parked': OfDelivery & {
    readonly orderingKey: string;
    readonly reason: ParkReason;
    readonly text?: string;
    readonly error?: unknown;
  };
  /** A settlement or renewal was refused: another consumer owns the delivery. Its effect may happen twice. */
  'lease-lost': OfDelivery;
  /**
   * An idempotent listener's key was done already: acked without running. `result` is what the handler returned then, as
   * JSON keeps it; undefined when it returned nothing, or more than 4 KiB.
   */
  duplicate: OfDelivery & { readonly doneBy: string; readonly result: unknown };
  /**
   * An idempotent listener ended after another consumer had taken over its key (it was paused for longer than its lease):
   * its result was not stored, its effect may have happened twice.
   */
  'claim-lost': OfDelivery;
  /** A delivery was handed back without counting (shutdown, hand-back). */
  released: OfDelivery;
  /** An expired lease was taken over. */
  reclaimed: OfDelivery & { readonly crashes: number };
  /** A handler did not end within its time-out and grace; it still runs, its result will be ignored. */
  stalled: OfDelivery & { readonly timeoutMs: number };
  /** A setting or the state of the server endangers messages; told once per connection. */
  warning: BrokerWarning;
  /** Consuming stopped here because an operator paused the topic or the group; also when its terms were changed. */
  paused: OfGroup & Pause;
  /** A pause ended, by `resume` or by its `until`; another one may still hold. */
  resumed: OfGroup & Pick<Pause, 'scope'>;
  /** Live members of the group take different tags (as in a rolling deploy). Once per change of the sets; nothing is lost. */
  'tags-differ': OfGroup & { readonly sets: readonly TagSet[] };
  /**
   * A group has had no live member for the topic's `idleAfter`; what it has not read cannot be trimmed. Told once, by one
   * of the processes that use the topic, until it lives again.
   */
  'group-idle': OfGroup & { readonly idleMs: number };
  /** An idle group was destroyed, as the topic's `idleGroups` says. */
  'group-expired': OfGroup;
  /** Broadcast: a message was given up in this instance, after its attempts or because no further one was to be made. */
  'broadcast-failed': OfDelivery & {
    readonly reason: DeadLetterReason;
    readonly text?: string;
    /** Oldest first; bounded. */
    readonly failures: readonly FailureRecord[];
    readonly error?: unknown;
  };
  /** Broadcast: entries of a queue were trimmed (or lost by the server) before this instance read them; it reads on. */
  gap: {
    readonly topic: string;
    readonly group: string;
    /** Over all shards. */
    readonly queue: number;
    /** How many; undefined when that cannot be told. */
    readonly missed?: number;
  };
  /** The message of a tick was stored, by this process; it is due at `at`, so this is told up to a minute before. */
  tick: { readonly topic: string; readonly schedule: string; readonly at: Date; readonly messageId: string };
  /** Ticks after `after` and before `until` were given up, because no process was there to send them. Told by one. */
  'ticks-missed': {
    readonly topic: string;
    readonly schedule: string;
    readonly policy: 'skip' | 'latest' | 'all';
    readonly after: Date;
    /** The tick that goes on. */
    readonly until: Date;
  };
  /**
   * A transaction listener of this process was asked about a half message, and its decision is stored; with `error` it is
   * not: the listener threw, or the broker did not take the decision. It is asked about again, unless it was decided before.
   */
  'half-checked': OfHalf & { readonly decision: TransactionDecision; readonly error?: unknown };
  /** A half message was asked about in vain, `maxChecks` times: it waits for `admin.resumeHalf`, `commitHalf` or `rollbackHalf`. */
  'half-parked': OfHalf & Pick<ParkedHalf, 'since'>;
  /** A background loop failed; it goes on by itself. */
  'loop-error': { readonly loop: string; readonly error: unknown };
}

export type MqEventName = keyof MqEventMap;

/** Typed events. A throwing subscriber never reaches the engine: its error becomes a process warning. */
export class MqEvents {
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  /** Subscribes; the returned function unsubscribes. */
  on<E extends MqEventName>(event: E, subscriber: (payload: MqEventMap[E]) => void): () => void {
    const guarded = (payload: MqEventMap[E]): void => {
      try {
        subscriber(payload);
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    };
    this.emitter.on(event, guarded);
    return () => void this.emitter.off(event, guarded);
  }

  /** True when someone listens: lets hot paths skip building a payload. */
  wants(event: MqEventName): boolean {
    return this.emitter.listenerCount(event) > 0;
  }

  emit<E extends MqEventName>(event: E, payload: MqEventMap[E]): void {
    this.emitter.emit(event, payload);
  }

  /** Resolves with the next event that satisfies `matches`: what tests wait on instead of sleeping. */
  next<E extends MqEventName>(
    event: E,
    matches: (payload: MqEventMap[E]) => boolean = () => true,
  ): Promise<MqEventMap[E]> {
    return new Promise((resolve) => {
      const off = this.on(event, (payload) => {
        if (!matches(payload)) return;
        off();
        resolve(payload);
      });
    });
  }
}
