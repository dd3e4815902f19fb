// Feeds one dead-letter listener: takes untold letters, keeps their leases while handlers run, and says when they are told.
import { BackgroundLoop, type OnLoopError } from '../background-loop.js';
import type { LoopHealth } from '../loop-health.js';
import type { Clock } from '../clock.js';
import { LeaseLostError } from '../errors.js';
import { decodeMessage } from '../message/envelope.js';
import type { Message } from '../message/message.js';
import type { DeadLetter } from './dead-letter.js';
import type { DeadLetterFeed, UntoldDeadLetter } from './dead-letter-feed.js';
import type { DeadLetterHandler, DeadLetterListenerSpec } from './dead-letter-listener.js';

/** How late a death in another process may be told; one in this process is told at once. */
const LOOK_EVERY_MS = 1_000;

export interface DeadLetterConsumerParts {
  readonly feed: DeadLetterFeed;
  readonly clock: Clock;
  readonly spec: DeadLetterListenerSpec;
  readonly handler: DeadLetterHandler;
  readonly onError: OnLoopError;
}

export class DeadLetterConsumer {
  private readonly loop: BackgroundLoop;
  private readonly running = new Set<Promise<void>>();
  private giveUp = new AbortController();
  /** Until then a letter may become due that its handler failed with; monotonic ms. */
  private againUntil = 0;

  constructor(private readonly parts: DeadLetterConsumerParts) {
    const { clock, onError } = parts;
    const name = this.name;
    this.loop = new BackgroundLoop({
      name,
      clock,
      onError,
      everyMs: LOOK_EVERY_MS,
      isIdle: () => this.running.size === 0 && clock.monotonic() >= this.againUntil,
      pass: (signal) => this.pass(signal),
    });
  }

  /** From when this resolves no dead letter of the group goes untold. */
  async declare(): Promise<void> {
    const { feed, spec } = this.parts;
    await feed.take(spec.topic, spec.group, { max: 0, leaseMs: spec.leaseMs });
  }

  start(): void {
    this.giveUp = new AbortController();
    this.loop.start();
  }

  /** There is something to tell. */
  wake(): void {
    this.loop.wakeIn(0);
  }

  /** Waits for running handlers so long; what they have not finished then is told again when its lease has run out. */
  async stop(timeoutMs: number): Promise<void> {
    await this.loop.stop();
    const waited = new AbortController();
    const timeUp = this.parts.clock.wait(timeoutMs, waited.signal);
    await Promise.race([Promise.all(this.running), timeUp]);
    waited.abort();
    this.giveUp.abort();
  }

  health(): LoopHealth {
    return this.loop.health();
  }

  private get name(): string {
    const { topic, group } = this.parts.spec;
    return `dead letters of ${topic}/${group}`;
  }

  private async pass(signal: AbortSignal): Promise<number | void> {
    const { feed, spec } = this.parts;
    const free = spec.concurrency - this.running.size;
    // Whoever ends wakes the loop.
    if (free <= 0) return;
    const taken = await feed.take(spec.topic, spec.group, { max: free, leaseMs: spec.leaseMs });
    if (signal.aborted) {
      await Promise.all(taken.map((untold) => feed.settle(untold, { type: 'again', delayMs: 0 })));
      return;
    }
    for (const untold of taken) {
      const run = this.run(untold).finally(() => {
        this.running.delete(run);
        this.wake();
      });
      this.running.add(run);
    }
    return taken.length === free ? 0 : undefined;
  }

  /** Never rejects: what cannot be said now is said by the end of the lease. */
  private async run(untold: UntoldDeadLetter): Promise<void> {
    const { feed, spec, handler, onError } = this.parts;
    const lost = new AbortController();
    const ended = new AbortController();
    const signal = AbortSignal.any([lost.signal, this.giveUp.signal]);
    const kept = this.keep(untold, lost, AbortSignal.any([ended.signal, this.giveUp.signal]));
    let failed = false;
    try {
      await handler(untold.letter, { message: decoded(untold.letter), signal });
    } catch (error) {
      failed = true;
      onError(error, this.name);
    }
    ended.abort();
    try {
      // A renewal that is under way would put the lease back over what is settled here.
      await kept;
      if (failed) this.againUntil = this.parts.clock.monotonic() + spec.retryDelayMs + 2 * LOOK_EVERY_MS;
      await feed.settle(untold, failed ? { type: 'again', delayMs: spec.retryDelayMs } : { type: 'told' });
    } catch (error) {
      onError(error, this.name);
    }
  }

  /** Renews the lease until it is told to end. */
  private async keep(untold: UntoldDeadLetter, lost: AbortController, until: AbortSignal): Promise<void> {
    const { feed, spec, clock, onError } = this.parts;
    for (;;) {
      await clock.wait(spec.leaseMs / 3, until);
      if (until.aborted) return;
      try {
        if (await feed.renew(untold, spec.leaseMs)) continue;
        lost.abort(new LeaseLostError(untold.letter.messageId));
        return;
      } catch (error) {
        onError(error, this.name);
      }
    }
  }
}

function decoded(letter: DeadLetter): Message | undefined {
  try {
    return decodeMessage(letter.topic, letter.message);
  } catch {
    return undefined;
  }
}
