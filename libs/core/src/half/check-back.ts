// Asks a transaction listener about half messages of one topic whose sender has not decided. Runs in every process that has
// such a listener: which of them is asked is decided by the broker, check by check.
import { BackgroundLoop } from '../background-loop.js';
import type { Clock } from '../clock.js';
import { HandlerTimeoutError } from '../errors.js';
import type { MqEvents } from '../events.js';
import { decodeMessage } from '../message/envelope.js';
import { halfError } from './half-errors.js';
import type { HalfCheck, TransactionDecision } from './half-message.js';
import type { HalfMessages } from './half-messages.js';
import type { TransactionCheck, TransactionListenerSpec } from './transaction-listener.js';

export interface CheckBackParts {
  readonly half: HalfMessages;
  readonly clock: Clock;
  readonly events: MqEvents;
  readonly topic: string;
  readonly spec: TransactionListenerSpec;
  readonly check: TransactionCheck;
  readonly declareTopic: (topic: string) => Promise<unknown>;
}

/** How late a check of another process's half message may be. */
const LOOK_EVERY_MS = 1_000;

export class CheckBack extends BackgroundLoop {
  private readonly asking = new Set<Promise<void>>();
  private readonly giveUp = new AbortController();

  constructor(private readonly parts: CheckBackParts) {
    const { clock, events, topic, spec } = parts;
    super({
      name: `check-back of ${topic}/${spec.producerGroup}`,
      everyMs: LOOK_EVERY_MS,
      pass: () => this.look(),
      onError: (error, loop) => events.emit('loop-error', { loop, error }),
      clock,
    });
  }

  get topic(): string {
    return this.parts.topic;
  }

  get checkAfterMs(): number {
    return this.parts.spec.checkAfterMs;
  }

  /** Ends for good. */
  async end(timeoutMs: number): Promise<void> {
    await this.stop();
    if (this.asking.size > 0) {
      const waited = new AbortController();
      const timeUp = this.parts.clock.wait(timeoutMs, waited.signal);
      await Promise.race([Promise.all(this.asking), timeUp]);
      waited.abort();
    }
    this.giveUp.abort();
  }

  private async look(): Promise<number> {
    const { half, events, topic, spec, declareTopic } = this.parts;
    const { producerGroup, maxChecks } = spec;
    const free = spec.concurrency - this.asking.size;
    // Whoever ends wakes the loop.
    if (free <= 0) return LOOK_EVERY_MS;
    await declareTopic(topic);
    const limits = { max: free, intervalMs: spec.checkIntervalMs, maxChecks };
    const { checks, parked, nextInMs = LOOK_EVERY_MS } = await half.takeChecks(topic, producerGroup, limits);
    for (const one of parked) events.emit('half-parked', { topic, producerGroup, ...one });
    for (const one of checks) {
      const run = this.ask(one).finally(() => {
        this.asking.delete(run);
        this.wakeIn(0);
      });
      this.asking.add(run);
    }
    return Math.min(LOOK_EVERY_MS, nextInMs);
  }

  /** Never rejects: what cannot be said now is asked again. */
  private async ask(asked: HalfCheck): Promise<void> {
    const { half, events, topic, spec } = this.parts;
    const { messageId } = asked.message;
    const of = { topic, producerGroup: spec.producerGroup, messageId, checks: asked.checks };
    let decision: TransactionDecision = 'unknown';
    try {
      decision = await this.answer(asked);
      if (decision === 'commit' || decision === 'rollback') {
        const answer = await half[decision](topic, { messageId, routingKey: asked.routingKey });
        const problem = halfError(topic, messageId, decision, answer);
        if (problem) throw problem;
      }
      events.emit('half-checked', { ...of, decision });
    } catch (error) {
      events.emit('half-checked', { ...of, decision, error });
      events.emit('loop-error', { loop: this.health().loop, error });
    }
  }

  /** What the listener says in time. One that goes on after its time is not listened to any more. */
  private async answer({ message, checks, since }: HalfCheck): Promise<TransactionDecision> {
    const { clock, check, topic, spec } = this.parts;
    const timeout = new AbortController();
    const ended = new AbortController();
    const signal = AbortSignal.any([timeout.signal, this.giveUp.signal]);
    const context = { topic, producerGroup: spec.producerGroup, checks, since, signal };
    const cut = AbortSignal.any([ended.signal, this.giveUp.signal]);
    const tooLate = clock.wait(spec.checkIntervalMs, cut).then(() => {
      const error = new HandlerTimeoutError(spec.checkIntervalMs);
      if (!cut.aborted) timeout.abort(error);
      throw error;
    });
    // Nobody waits for it when the listener was in time.
    tooLate.catch(() => undefined);
    try {
      const decision = await Promise.race([Promise.resolve(check(decodeMessage(topic, message), context)), tooLate]);
      if (decision === 'commit' || decision === 'rollback' || decision === 'unknown') return decision;
      throw new TypeError(`a transaction listener must say commit, rollback or unknown, not ${String(decision)}`);
    } finally {
      ended.abort();
    }
  }
}
