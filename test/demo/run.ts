// Everything one run needs, opened in order and closed in reverse, whatever happens in between.
import { setMaxListeners } from 'node:events';
import { Crowd } from './crowd.js';
import type { DemoFlags } from './flags.js';
import { Ledger } from './ledger.js';
import { Progress } from './progress.js';
import { plantInDatabase } from './sabotage.js';
import { startShop, type Shop } from './shop.js';
import { ShopClient } from './shop-client.js';
import { takeSnapshot, watch, type Snapshot } from './snapshot.js';
import { keepStockJournal } from './stock-journal.js';
import { prepareSurroundings, type Surroundings } from './surroundings.js';

/** Longer than any lease, retry or pause of the shop: what is silent for so long will not move any more. */
const STALL_MS = 15_000;

export interface Run {
  flags: DemoFlags;
  progress: Progress;
  ledger: Ledger;
  surroundings: Surroundings;
  shop: Shop;
  client: ShopClient;
  crowd: Crowd;
  /** Aborts when the user stops the run or a process of the shop crashes. */
  signal: AbortSignal;
  /** Shows progress until the condition holds; false when nothing has moved for too long. Rejects when aborted. */
  waitUntil: (condition: (snapshot: Snapshot) => boolean, stallMs?: number) => Promise<boolean>;
}

/** Opens a run, hands it to `course`, and closes it again. */
export async function withRun<T>(flags: DemoFlags, stop: AbortSignal, course: (run: Run) => Promise<T>): Promise<T> {
  const progress = new Progress();
  const ledger = new Ledger();
  const crash = new AbortController();
  const signal = AbortSignal.any([stop, crash.signal]);
  setMaxListeners(0, signal); // every waiting buyer listens to it
  const closers: (() => unknown)[] = [];
  try {
    progress.say('looking for Redis and PostgreSQL');
    const surroundings = await prepareSurroundings(process.env);
    closers.push(() => surroundings.close());
    for (const line of surroundings.description) progress.say(line);
    signal.throwIfAborted();

    const shop = await startShop(surroundings, flags.timeoutMs, (error) => crash.abort(error));
    closers.push(() => shop.stop());
    signal.throwIfAborted();
    progress.say(`the shop is up: ${shop.processes.map(({ name, pid }) => `${name} (process ${pid})`).join(', ')}`);

    const { sql, redis, namespace } = surroundings;
    await keepStockJournal(sql);
    await plantInDatabase(flags.sabotage, sql);

    // Two lines of customers: all at one counter, payments would stand behind thousands of clicks.
    const [door, client] = [new ShopClient(shop.url, 64), new ShopClient(shop.url, 64)];
    closers.push(
      () => door.close(),
      () => client.close(),
    );
    const crowd = new Crowd({ door, counter: client, ledger, timeoutMs: flags.timeoutMs, signal });
    const look = async (): Promise<Snapshot> => {
      const snapshot = await takeSnapshot(sql, redis, namespace);
      progress.show(ledger, snapshot);
      return snapshot;
    };
    const waitUntil: Run['waitUntil'] = (until, stallMs = STALL_MS + flags.timeoutMs) =>
      watch({ look, until, stallMs, signal });
    return await course({ flags, progress, ledger, surroundings, shop, client, crowd, signal, waitUntil });
  } catch (error) {
    crash.signal.throwIfAborted(); // everything else failed because of it
    throw error;
  } finally {
    progress.clear();
    for (const close of closers.toReversed()) await close();
  }
}
