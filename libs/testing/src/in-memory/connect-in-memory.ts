// The way in: a connection to a broker that lives in this process. Same promises as the Redis one, checked by the
// same contract suite; nothing survives the process.
import type { BrokerPorts, Clock, OnceRecords } from '@millrace/core';
import { InMemoryAdmin } from './in-memory-admin.js';
import { InMemoryBroadcast } from './in-memory-broadcast.js';
import { InMemoryBroker } from './in-memory-broker.js';
import { InMemoryControl } from './in-memory-control.js';
import { InMemoryFeed } from './in-memory-feed.js';
import { InMemoryHalf } from './in-memory-half.js';
import { InMemoryLeases } from './in-memory-leases.js';
import { InMemoryOnce } from './in-memory-once.js';
import { InMemoryScheduleStore } from './in-memory-schedule-store.js';
import { InMemoryStore } from './in-memory-store.js';

export interface InMemoryOptions {
  /** What several connections share, as processes share a server. @default a new, empty store */
  store?: InMemoryStore;
  /** This "process's" clock, for waits and for when a lease surely is ours. @default the store's clock */
  clock?: Clock;
}

export interface InMemoryPorts extends BrokerPorts {
  readonly store: InMemoryStore;
  readonly once: OnceRecords;
}

/** Opens a connection. With a `clock` and no `store`, the new store goes by that clock too. */
export function connectInMemory(options: InMemoryOptions = {}): InMemoryPorts {
  const store = options.store ?? new InMemoryStore({ clock: options.clock });
  const clock = options.clock ?? store.clock;
  const broker = new InMemoryBroker(store, clock);
  return {
    store,
    broker,
    leases: new InMemoryLeases(store, clock, () => broker.isClosed),
    control: new InMemoryControl(store, () => broker.isClosed),
    broadcast: new InMemoryBroadcast(store, clock, broker.closed),
    admin: new InMemoryAdmin(store, broker.onScheduled),
    deadLetters: new InMemoryFeed(store),
    once: new InMemoryOnce(store, () => broker.isClosed),
    schedules: new InMemoryScheduleStore(store, () => broker.isClosed),
    half: new InMemoryHalf(store, () => broker.isClosed, broker.onScheduled),
  };
}
