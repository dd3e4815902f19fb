// What connections of one clock have asked a real server for. Time may only go on when all of it is answered, and when
// every reader has looked since: on a server, unlike in memory, nothing is done in the step that asks for it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BrokerPorts } from '@millrace/core';
import type { ManualClock } from '../manual-clock.js';

/** For messages of somebody on another clock, or in another process: real ms between two looks of a reader. */
const LOOK_AGAIN_MS = 25;

export class CallsUnderWay {
  private static readonly ofClocks = new WeakMap<ManualClock, CallsUnderWay>();

  /** Connections on one clock know of each other: what one of them appends, the readers of all look for. */
  static of(clock: ManualClock): CallsUnderWay {
    const known = CallsUnderWay.ofClocks.get(clock) ?? new CallsUnderWay(clock);
    CallsUnderWay.ofClocks.set(clock, known);
    return known;
  }

  private count = 0;
  /** Calls that ended and may have appended something; and how many of them readers have looked for. */
  private ended = 0;
  private lookedFor = 0;
  private readonly resting = new Set<() => void>();
  private readonly untilNone = new Set<() => void>();
  private isRingScheduled = false;

  private constructor(private readonly clock: ManualClock) {}

  /** The same ports; their calls are counted from now on. */
  watch<Ports extends BrokerPorts>(ports: Ports): Ports {
    const watched = Object.entries(ports).map(([name, port]: [string, unknown]) => {
      return [name, typeof port === 'object' && port !== null ? this.proxy(port) : port] as const;
    });
    return Object.fromEntries(watched) as unknown as Ports;
  }

  /** Where a reader waits that found nothing. It is not under way meanwhile. */
  async rest(ms: number, signal?: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    const lookAgain = setTimeout(wake, LOOK_AGAIN_MS).unref();
    this.resting.add(wake);
    signal?.addEventListener('abort', wake, { once: true });
    this.end();
    try {
      // Whatever comes rings: the end of the wait may be put off.
      if (!signal?.aborted) await this.clock.wait(ms, woken.signal, () => Infinity);
    } finally {
      this.count++;
      clearTimeout(lookAgain);
      this.resting.delete(wake);
      signal?.removeEventListener('abort', wake);
    }
  }

  /** Resolves when nothing is under way any more, and every reader has looked since the last call ended. */
  async settle(): Promise<void> {
    for (;;) {
      await nextTurn();
      if (this.count > 0) await new Promise<void>((resolve) => this.untilNone.add(resolve));
      else if (this.lookedFor < this.ended) this.ring();
      else {
        await nextTurn();
        if (this.count === 0 && this.lookedFor === this.ended) return;
      }
    }
  }

  private ring(): void {
    this.lookedFor = this.ended;
    for (const wake of this.resting) wake();
  }

  private proxy<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          const answer: unknown = (member as (...of: unknown[]) => unknown).apply(target, args);
          return answer instanceof Promise ? this.counted(answer, name === 'receive' || name === 'read') : answer;
        };
      },
    });
  }

  private async counted<Answer>(answer: Promise<Answer>, isRead: boolean): Promise<Answer> {
    this.count++;
    try {
      return await answer;
    } finally {
      if (!isRead) this.ended++;
      this.end();
      if (!isRead) this.ringSoon();
    }
  }

  private end(): void {
    if (--this.count > 0) return;
    for (const resolve of this.untilNone) resolve();
    this.untilNone.clear();
  }

  /** Also while the clock stands still. */
  private ringSoon(): void {
    if (this.isRingScheduled) return;
    this.isRingScheduled = true;
    setImmediate(() => {
      this.isRingScheduled = false;
      if (this.lookedFor < this.ended) this.ring();
    });
  }
}
