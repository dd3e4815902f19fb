// Keeps the window full from one shard: reads as soon as there is room, waits at the broker when there is nothing.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { Broker } from '../broker.js';
import type { Clock } from '../clock.js';
import type { ConsumePause } from '../control/consume-pause.js';
import type { Delivery, QueueLease } from './delivery.js';
import { eitherSignal, type EitherSignal } from './either-signal.js';
import type { Subscription } from './subscription.js';
import type { Window } from './window.js';

/** Ordered mode: which queues of a shard may be read now. */
export interface ReadableQueues {
  leases(shard: number): readonly QueueLease[];
  /** Aborted when `leases` would answer differently; a new one each time. */
  changed(shard: number): AbortSignal;
}

export interface FetcherParts {
  readonly broker: Pick<Broker, 'receive'>;
  readonly clock: Clock;
  readonly subscription: Subscription;
  readonly shard: number;
  readonly window: Window;
  /** @default never paused */
  readonly pause?: Pick<ConsumePause, 'isPaused' | 'signal' | 'whenResumed'>;
  /** Ordered mode only. */
  readonly queues?: ReadableQueues;
  /** For errors and health: topic and group. */
  readonly name: string;
  /** A read is about to be asked for. */
  readonly beforeRead: () => void;
  readonly accept: (deliveries: readonly Delivery[]) => void;
  /** Called in the pass after `accept`: the next read has left, or none will for now. */
  readonly afterRead: () => void;
  /** Before the first read after an error: declares topic and group again, for a store that may have lost them. */
  readonly recover: () => Promise<void>;
  readonly onError: OnLoopError;
}

/** Redis ends a wait with a resolution of 100 ms, and a socket must not look dead: no single wait is longer. */
const MAX_WAIT_MS = 5000;
/** Pause after a read that found nothing and did not wait either: such a broker must not be asked in a tight loop. */
const EMPTY_PAUSE_MS = 5;

/**
 * One blocking read at a time; never ends on an error. A pass that has nothing to do (no room, no queue) ends at once
 * and leaves word where it wants to be woken: so health sees a loop that is alive.
 */
export class Fetcher extends BackgroundLoop {
  private hasFailed = false;
  /** It left word where it wants to be woken. */
  private isAsleep = false;
  private wait?: EitherSignal;
  private readonly wake = (): void => this.wakeIn(0);

  constructor(private readonly parts: FetcherParts) {
    super({
      name: `fetch ${parts.name} shard ${parts.shard}`,
      everyMs: 0,
      pass: (signal) => this.fetch(signal),
      onError: (error, loop) => {
        this.hasFailed = true;
        parts.onError(error, loop);
      },
      clock: parts.clock,
      isIdle: () => this.isAsleep,
    });
  }

  private async fetch(signal: AbortSignal): Promise<number> {
    if (this.hasFailed) {
      this.parts.afterRead();
      await this.parts.recover();
    }
    this.hasFailed = false;
    this.isAsleep = false;
    const { window, queues, pause } = this.parts;
    if (pause?.isPaused) {
      pause.whenResumed(this.wake);
      return this.sleep();
    }
    if (window.isBelowThreshold) {
      window.whenRoom(this.wake);
      return this.sleep();
    }
    const wait = pause ? this.waitSignal(signal, pause.signal) : signal;
    return queues ? this.readOwned(queues, wait) : this.read(wait);
  }

  private sleep(): number {
    this.isAsleep = true;
    this.parts.afterRead();
    return MAX_WAIT_MS;
  }

  /** Ends a wait when the loop stops or a pause begins. Made anew only after one of them happened, not for each read. */
  private waitSignal(stopped: AbortSignal, paused: AbortSignal): AbortSignal {
    if (!this.wait || this.wait.signal.aborted) {
      this.wait?.release();
      this.wait = eitherSignal(stopped, paused);
    }
    return this.wait.signal;
  }

  /** A change of the owned queues ends the wait, so that the next read includes or spares them. */
  private async readOwned(queues: ReadableQueues, signal: AbortSignal): Promise<number> {
    const changed = queues.changed(this.parts.shard);
    const leases = queues.leases(this.parts.shard);
    if (leases.length === 0) {
      changed.addEventListener('abort', this.wake, { once: true });
      return this.sleep();
    }
    const either = eitherSignal(signal, changed);
    try {
      return await this.read(either.signal, leases);
    } finally {
      either.release();
    }
  }

  private async read(signal: AbortSignal, leases?: readonly QueueLease[]): Promise<number> {
    const { broker, clock, subscription, shard, window, beforeRead, afterRead, accept } = this.parts;
    const askedAt = clock.monotonic();
    window.keepPace(askedAt);
    const max = Math.max(1, Math.ceil(window.free / subscription.shards));
    beforeRead();
    const reading = broker.receive(subscription, shard, { max, waitMs: MAX_WAIT_MS, signal, leases });
    afterRead();
    const deliveries = await reading;
    if (deliveries.length > 0) accept(deliveries);
    else if (!signal.aborted && clock.monotonic() - askedAt < EMPTY_PAUSE_MS) return EMPTY_PAUSE_MS;
    return 0;
  }
}
