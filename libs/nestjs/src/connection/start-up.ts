// The start of a connection whose broker may be away: waited for, then gone on with in the background.
import { BackgroundLoop, BrokerRefusedError, MqError, systemClock, type LoopHealth } from '@millrace/core';
import type { MqConnection } from './mq-connection.js';
import { startupSpec, type StartupSpec } from './startup-options.js';

const LOOP = 'start';

/**
 *   new --run--> waiting --answer--> begun            waiting --fault--> failed (the start of the application ends)
 *                waiting --timeout--> in the background (tries on) --answer--> begun     any --abandon--> failed
 */
export class StartUp {
  private readonly spec: StartupSpec;
  private state: 'new' | 'waiting' | 'background' | 'begun' | 'failed' = 'new';
  private loop: BackgroundLoop | undefined;

  /** Throws InvalidOptionError. */
  constructor(private readonly connection: MqConnection) {
    this.spec = startupSpec(connection.options.startup);
  }

  /** True while a start is tried that has not succeeded. */
  get isUnderWay(): boolean {
    return this.state === 'waiting' || this.state === 'background';
  }

  /** The application runs, and this connection has not begun. */
  get isLate(): boolean {
    return this.state === 'background';
  }

  /**
   * Resolves when `begin` has succeeded, or goes on in the background after the time that is waited for a broker that does
   * not answer. Rejects with what a broker that is there says against it, and with MqError `MQ_UNAVAILABLE` when it is
   * not there and the options say so.
   */
  async run(begin: () => Promise<void>): Promise<void> {
    const { timeoutMs, onTimeout } = this.spec;
    const { events } = this.connection.mq;
    this.state = 'waiting';
    const waiting = new AbortController();
    const begun = new Promise<void>((resolve, reject) => {
      this.loop = new BackgroundLoop({
        name: LOOP,
        everyMs: 0,
        pass: () => this.attempt(begin, resolve, reject),
        onError: (error) => events.emit('loop-error', { loop: LOOP, error }),
      });
      this.loop.start();
    });
    const late = systemClock.wait(timeoutMs, waiting.signal).then(() => 'late' as const);
    try {
      const isLate = (await Promise.race([begun, late])) === 'late';
      if (!isLate || this.state !== 'waiting') return await begun;
    } finally {
      waiting.abort();
    }
    const error = this.lateError();
    if (onTimeout === 'fail') {
      this.abandon();
      throw error;
    }
    this.state = 'background';
    events.emit('loop-error', { loop: LOOP, error });
  }

  /** Tries no more. The try under way ends with its connection. */
  abandon(): void {
    this.end('failed');
  }

  health(): LoopHealth[] {
    return this.isUnderWay ? [this.loop!.health()] : [];
  }

  private async attempt(begin: () => Promise<void>, resolve: () => void, reject: (error: unknown) => void) {
    try {
      await begin();
    } catch (error) {
      // Found out in the background it cannot end the start any more: it is reported, and tried again.
      if (this.state !== 'waiting' || isOutage(error)) throw error;
      this.end('failed');
      return reject(error);
    }
    if (!this.isUnderWay) return;
    this.end('begun');
    resolve();
  }

  private end(state: 'begun' | 'failed'): void {
    this.state = state;
    // Not waited for: it may be the pass itself that ends its loop.
    void this.loop?.stop();
  }

  private lateError(): BrokerRefusedError {
    const { lastError } = this.connection.brokerHealth() ?? {};
    const cause = lastError ?? this.loop?.health().lastError;
    const { message } = (cause ?? {}) as Partial<Error>;
    const why = message ? `: ${message}` : '';
    return new BrokerRefusedError(
      `the broker of connection '${this.connection.name}' has not answered for ${this.spec.timeoutMs} ms${why}`,
      'MQ_UNAVAILABLE',
      cause,
    );
  }
}

/** Trying again later, without a change, can help. */
function isOutage(error: unknown): boolean {
  return error instanceof MqError && error.retriable;
}
