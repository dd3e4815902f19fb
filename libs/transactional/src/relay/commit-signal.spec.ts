import type { OutboxDatabase } from '../database/outbox-database.js';
import { CommitSignal } from './commit-signal.js';

const database = {} as OutboxDatabase;

/** A notification that ends when it is told to. */
function slow() {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const notify = (): Promise<void> => new Promise((resolve, reject) => ends.push({ resolve, reject }));
  return { ends, notify };
}

const relay = (isRunning: boolean) => ({ isRunning, woken: 0, wake: () => {} });

describe('a commit of this process', () => {
  it('wakes its relay, and then nobody else is told', () => {
    let woken = 0;
    const { ends, notify } = slow();
    const signal = new CommitSignal({ database, relay: { isRunning: true, wake: () => woken++ }, notify });
    signal.tell();
    expect([woken, ends.length]).toEqual([1, 0]);
  });

  it('is told to the relays of others without one, many commits at once', async () => {
    const { ends, notify } = slow();
    const signal = new CommitSignal({ database, relay: relay(false), notify });
    for (let commit = 0; commit < 100; commit++) signal.tell();
    // One for the first, one for all that came while it was under way.
    expect(ends).toHaveLength(1);
    ends[0]!.resolve();
    await new Promise(setImmediate);
    expect(ends).toHaveLength(2);
    ends[1]!.resolve();
    await signal.stop();
    expect(ends).toHaveLength(2);
    signal.tell();
    expect(ends).toHaveLength(3);
  });

  it('that nobody could be told of is left to the poller', async () => {
    const { ends, notify } = slow();
    const signal = new CommitSignal({ database, relay: relay(false), notify });
    signal.tell();
    const stopped = signal.stop();
    ends[0]!.reject(new Error('no connection is free'));
    await stopped;
    signal.tell();
    expect(ends).toHaveLength(2);
  });

  it('is told to nobody where the database cannot notify', async () => {
    const signal = new CommitSignal({ database, relay: relay(false) });
    signal.tell();
    await expect(signal.stop()).resolves.toBeUndefined();
  });
});
