// Testing listeners and senders without a server and without waiting: an Mq on the in-memory broker, on a clock that
// the test moves.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  decodeMessage,
  InvalidOptionError,
  Mq,
  MqError,
  type BrokerPorts,
  type DeadLetter,
  type Message,
  type MqEventName,
  type MqOptions,
  type StoredMessage,
} from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { faultyBroker, type FaultyPorts } from './faults/faulty-broker.js';
import { connectInMemory } from './in-memory/connect-in-memory.js';
import { InMemoryStore } from './in-memory/in-memory-store.js';
import { ManualClock } from './manual-clock.js';
import { connectVirtualRedis } from './virtual-redis/connect-virtual-redis.js';
import { recordSends, type SentMessage } from './record-sends.js';

export interface TestMqOptions extends Omit<MqOptions, 'clock'> {
  /** @default a new ManualClock */
  clock?: ManualClock;
  /** In memory: shared by several test Mqs, as processes share a server. @default a new store on `clock` */
  store?: InMemoryStore;
  /** A Redis server to test on, in the same virtual time. @default in memory */
  connection?: RedisConnection;
  /** On Redis: shared, together with `clock`, by test Mqs that are to share messages. @default a new one */
  namespace?: string;
}

/** The ports of one connection that goes by a ManualClock, in memory or on Redis. */
export interface TestConnection extends BrokerPorts {
  /** What tests may have to drain. */
  topicNames(): string[];
  /** Removes what is left on a server. */
  removeAll(): Promise<void>;
}

/** A dead letter as a test wants to see it: with its message decoded. */
export interface TestDeadLetter extends Omit<DeadLetter, 'message'> {
  /** Undefined when it cannot be decoded. */
  readonly message: Message | undefined;
  readonly stored: StoredMessage;
}

export interface TestMq {
  /** Not started: register listeners first, then `await mq.start()`. Close it at the end of the test. */
  readonly mq: Mq;
  /** With `ports.faults`, to make single calls fail, lose their reply or come late. */
  readonly ports: FaultyPorts;
  /** Moves delays, back-offs, leases and windows: `await clock.advance(30 * 60_000)`. */
  readonly clock: ManualClock;
  /** What this Mq's producer has stored in a topic, in the order of sending; duplicates and refused ones left out. */
  readonly sent: (topic: string) => SentMessage[];
  /** Newest first. */
  readonly deadLetters: (topic: string, group: string) => Promise<TestDeadLetter[]>;
  /**
   * Resolves when every ready message of every group has been handled, without moving the clock: what is delayed or
   * waits for its next attempt stays where it is. Throws after `withinMs` of real time (default 4000), naming what is
   * left: a handler that waits for the clock or for ever, or a group without a started listener.
   */
  readonly drain: (options?: { withinMs?: number }) => Promise<void>;
  /** Closes the Mq and, on Redis, removes everything of its namespace from the server, unless the namespace was given. */
  readonly close: () => Promise<void>;
}

/**
 * ```ts
 * const { mq, clock, drain, deadLetters } = createTestMq();
 * mq.listen({ topic: 'orders', group: 'billing' }, handler);
 * await mq.start();
 * await mq.producer.send('orders', { id: 1 }, { delay: '30m' });
 * await clock.advance(30 * 60_000);
 * await drain();
 * ```
 *
 * With `connection: 'redis://…'` the same spec runs on a real server.
 */
export function createTestMq(options: TestMqOptions = {}): TestMq {
  const { clock = new ManualClock(), store, connection, namespace, ...mqOptions } = options;
  if (store && connection !== undefined)
    throw new InvalidOptionError('store', 'a store', 'is in memory: give either it or a connection');
  const connected =
    connection === undefined ? inMemory(clock, store) : connectVirtualRedis({ connection, namespace, clock });
  const record = recordSends(connected.broker);
  const ports = faultyBroker({ ...connected, broker: record.broker }, { clock });
  const mq = new Mq(ports, { ...mqOptions, clock });
  return {
    mq,
    ports,
    clock,
    sent: (topic) => record.sent.filter((message) => message.topic === topic),
    deadLetters: async (topic, group) => {
      const letters = await connected.admin.deadLetters(topic, group, { offset: 0, limit: ALL });
      return letters.map(({ message, ...letter }) => ({
        ...letter,
        stored: message,
        message: decoded(topic, message),
      }));
    },
    drain: ({ withinMs = 4000 } = {}) => drain(mq, connected, clock, withinMs),
    close: async () => {
      await mq.close();
      if (namespace === undefined) await connected.removeAll();
    },
  };
}

function inMemory(clock: ManualClock, given: InMemoryStore | undefined): TestConnection {
  const { store, ...ports } = connectInMemory({ store: given ?? new InMemoryStore({ clock }), clock });
  return { ...ports, topicNames: () => store.topicNames(), removeAll: async () => {} };
}

/** Dead letters in one answer. */
const ALL = 100_000;

/** What can make a group's work less. */
const PROGRESS: readonly MqEventName[] = [
  'done',
  'duplicate',
  'skipped',
  'expired',
  'retry',
  'dead-letter',
  'released',
  'lease-lost',
];

async function drain(mq: Mq, store: TestConnection, clock: ManualClock, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    // Watched from before the look: what happens in between is not missed.
    const progress = watchProgress(mq);
    try {
      await clock.settle();
      const left = await unfinished(mq, store);
      if (left.length === 0) return;
      if (performance.now() >= deadline) throw notDrained(withinMs, left);
      // The pause is for work that another Mq on the same store does.
      await Promise.race([progress.happened, sleep(20)]);
    } finally {
      progress.unsubscribe();
    }
  }
}

function watchProgress(mq: Mq): { happened: Promise<void>; unsubscribe: () => void } {
  const subscriptions: (() => void)[] = [];
  const happened = new Promise<void>((resolve) => {
    for (const event of PROGRESS) subscriptions.push(mq.events.on(event, () => resolve()));
  });
  return { happened, unsubscribe: () => subscriptions.forEach((off) => off()) };
}

async function unfinished(mq: Mq, store: TestConnection): Promise<string[]> {
  const stats = await Promise.all(store.topicNames().map((topic) => mq.admin.stats(topic)));
  return stats.flatMap(({ topic, groups }) =>
    groups
      .filter(({ ready, leased }) => ready + leased > 0)
      .map(({ group, ready, leased }) => `${topic}/${group}: ${ready} ready, ${leased} being handled`),
  );
}

function notDrained(withinMs: number, left: readonly string[]): MqError {
  return new MqError(`not drained within ${withinMs} ms: ${left.join('; ')}`, { code: 'MQ_TEST_NOT_DRAINED' });
}

function decoded(topic: string, stored: StoredMessage): Message | undefined {
  try {
    return decodeMessage(topic, stored);
  } catch {
    return undefined;
  }
}
