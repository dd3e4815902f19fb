// Ports for tests, in memory or on Redis, in time that the test moves; and what was sent, what died, what is left.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  decodeMessage,
  InvalidOptionError,
  MqError,
  type BrokerPorts,
  type DeadLetter,
  type Message,
  type StoredMessage,
} from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { faultyBroker, type FaultyPorts } from './faults/faulty-broker.js';
import { connectInMemory } from './in-memory/connect-in-memory.js';
import { InMemoryStore } from './in-memory/in-memory-store.js';
import { ManualClock } from './manual-clock.js';
import { recordSends, type SentMessage } from './record-sends.js';
import { connectVirtualRedis } from './virtual-redis/connect-virtual-redis.js';

export interface TestBrokerOptions {
  /** @default a new ManualClock */
  clock?: ManualClock;
  /** In memory: shared by several, as processes share a server. @default a new store on `clock` */
  store?: InMemoryStore;
  /** A Redis server to test on, in the same virtual time; not a Cluster. @default in memory */
  connection?: RedisConnection;
  /** On Redis: shared, together with `clock`, by those that are to share messages. @default a new one */
  namespace?: string;
}

/** A dead letter as a test wants to see it: with its message decoded. */
export interface TestDeadLetter extends Omit<DeadLetter, 'message'> {
  /** Undefined when it cannot be decoded. */
  readonly message: Message | undefined;
  readonly stored: StoredMessage;
}

export interface TestBroker {
  /** For `MqModule.forRoot({ ports, clock })`. With `ports.faults`, to make single calls fail, lose their reply or come late. */
  readonly ports: FaultyPorts;
  /** Moves delays, back-offs, leases and windows: `await clock.advance(30 * 60_000)`. */
  readonly clock: ManualClock;
  /** What was stored in a topic through these ports, in the order of sending; duplicates and refused ones left out. */
  readonly sent: (topic: string) => SentMessage[];
  /** Newest first. */
  readonly deadLetters: (topic: string, group: string) => Promise<TestDeadLetter[]>;
  /**
   * Resolves when every ready message of every group has been handled, without moving the clock: what is delayed or
   * waits for its next attempt stays where it is. Throws after `withinMs` of real time (default 4000), naming what is
   * left: a handler that waits for the clock or for ever, or a group without a started listener.
   */
  readonly drain: (options?: { withinMs?: number }) => Promise<void>;
  /** Closes the ports and, on Redis, removes everything of the namespace from the server, unless the namespace was given. */
  readonly close: () => Promise<void>;
}

/** The ports of one connection that goes by a ManualClock. */
interface Connected extends BrokerPorts {
  topicNames(): string[];
  removeAll(): Promise<void>;
}

/** Opens nothing before the first use. Throws InvalidOptionError. */
export function createTestBroker(options: TestBrokerOptions = {}): TestBroker {
  const { clock = new ManualClock(), store, connection, namespace } = options;
  if (store && connection !== undefined)
    throw new InvalidOptionError('store', 'a store', 'is in memory: give either it or a connection');
  const connected =
    connection === undefined ? inMemory(clock, store) : connectVirtualRedis({ connection, namespace, clock });
  const record = recordSends(connected.broker);
  const { admin } = connected;
  return {
    ports: faultyBroker({ ...connected, broker: record.broker }, { clock }),
    clock,
    sent: (topic) => record.sent.filter((message) => message.topic === topic),
    deadLetters: async (topic, group) => {
      const letters = await admin.deadLetters(topic, group, { offset: 0, limit: ALL });
      return letters.map(({ message, ...letter }) => ({
        ...letter,
        stored: message,
        message: decoded(topic, message),
      }));
    },
    drain: ({ withinMs = 4000 } = {}) => drain(connected, clock, withinMs),
    close: async () => {
      await connected.broker.close();
      if (namespace === undefined) await connected.removeAll();
    },
  };
}

function inMemory(clock: ManualClock, given: InMemoryStore | undefined): Connected {
  const { store, ...ports } = connectInMemory({ store: given ?? new InMemoryStore({ clock }), clock });
  return { ...ports, topicNames: () => store.topicNames(), removeAll: async () => {} };
}

/** Dead letters in one answer. */
const ALL = 100_000;
/** Between two looks, for handlers that do something outside; real ms. */
const LOOK_AGAIN_MS = 2;

async function drain(connected: Connected, clock: ManualClock, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    await clock.settle();
    const left = await unfinished(connected);
    if (left.length === 0) return;
    if (performance.now() >= deadline)
      throw new MqError(`not drained within ${withinMs} ms: ${left.join('; ')}`, { code: 'MQ_TEST_NOT_DRAINED' });
    await sleep(LOOK_AGAIN_MS);
  }
}

async function unfinished(connected: Connected): Promise<string[]> {
  const stats = await Promise.all(connected.topicNames().map((topic) => connected.admin.stats(topic)));
  return stats.flatMap(({ topic, groups }) =>
    groups
      .filter(({ ready, leased }) => ready + leased > 0)
      .map(({ group, ready, leased }) => `${topic}/${group}: ${ready} ready, ${leased} being handled`),
  );
}

function decoded(topic: string, stored: StoredMessage): Message | undefined {
  try {
    return decodeMessage(topic, stored);
  } catch {
    return undefined;
  }
}
