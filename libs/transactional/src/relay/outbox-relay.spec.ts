import { BrokerRefusedError, type Clock } from '@millrace/core';
import { OutboxRelay, type RelaySetup } from './outbox-relay.js';
import { relaySpec } from './relay-options.js';

/** Stands still; tells each wait, which ends only when it is cut short. */
class StillClock implements Clock {
  readonly waits: { ms: number; cut: boolean }[] = [];
  private waiters: (() => void)[] = [];

  now = (): number => 0;
  monotonic = (): number => 0;

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    const wait = { ms, cut: false };
    this.waits.push(wait);
    for (const tell of this.waiters.splice(0)) tell();
    return new Promise((resolve) => {
      signal?.addEventListener('abort', () => {
        wait.cut = true;
        resolve();
      });
    });
  }

  nextWait(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }
}

describe('when the relay looks again', () => {
  let clock: StillClock;
  let passes: number;
  let problem: unknown;
  let relay: OutboxRelay;

  beforeEach(() => {
    clock = new StillClock();
    passes = 0;
    problem = undefined;
    const work = async (): Promise<object> => {
      passes++;
      if (problem !== undefined) throw problem;
      return {};
    };
    // Only what a pass without work touches.
    const setup = { clock, database: {}, store: { work }, spec: relaySpec({ pollInterval: '7s' }) };
    relay = new OutboxRelay(setup as unknown as RelaySetup<unknown>);
  });
  afterEach(() => relay.stop());

  const started = async (): Promise<void> => {
    const waiting = clock.nextWait();
    relay.start();
    await waiting;
  };

  it('after the poll interval, and at once when something was committed', async () => {
    await started();
    expect(clock.waits).toEqual([{ ms: 7000, cut: false }]);
    const again = clock.nextWait();
    relay.wake();
    await again;
    expect(passes).toBe(2);
    expect(clock.waits).toEqual([
      { ms: 7000, cut: true },
      { ms: 7000, cut: false },
    ]);
  });

  it('during an outage only after its back-off, however much is committed: nobody is hammered', async () => {
    problem = new BrokerRefusedError('loading', 'MQ_UNAVAILABLE');
    await started();
    relay.wake();
    relay.wake();
    expect(clock.waits).toEqual([{ ms: 100, cut: false }]);
    expect(relay.health()).toMatchObject({ running: true, lastError: problem });
  });
});
