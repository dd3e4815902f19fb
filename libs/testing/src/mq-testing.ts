// Testing listeners and senders without a server and without waiting: an Mq on the in-memory broker, on a clock that
// the test moves.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  decodeMessage,
  Mq,
  MqError,
  type DeadLetter,
  type Message,
  type MqEventName,
  type MqOptions,
  type StoredMessage,
} from '@millrace/core';
import { faultyBroker, type FaultyPorts } from './faults/faulty-broker.js';
import { connectInMemory } from './in-memory/connect-in-memory.js';
import { InMemoryStore } from './in-memory/in-memory-store.js';
import { ManualClock } from './manual-clock.js';
import { recordSends, type SentMessage } from './record-sends.js';

export interface TestMqOptions extends Omit<MqOptions, 'clock'> {
  /** @default a new ManualClock */
  clock?: ManualClock;
  /** Shared by several test Mqs, as processes share a server. @default a new store on `clock` */
  store?: InMemoryStore;
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
  sent(topic: string): SentMessage[];
  /** Newest first. */
  deadLetters(topic: string, group: string): Promise<TestDeadLetter[]>;
  /**
   * Resolves when every ready message of every group has been handled, without moving the clock: what is delayed or
   * waits for its next attempt stays where it is. Throws after `withinMs` of real time (default 4000), naming what is
   * left: a handler that waits for the clock or for ever, or a group without a started listener.
   */
  drain(options?: { withinMs?: number }): Promise<void>;
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
 */
export function createTestMq(options: TestMqOptions = {}): TestMq {
  const { clock = new ManualClock(), store = new InMemoryStore({ clock }), ...mqOptions } = options;
  const inMemory = connectInMemory({ store, clock });
  const record = recordSends(inMemory.broker);
  const ports = faultyBroker({ ...inMemory, broker: record.broker }, { clock });
  const mq = new Mq(ports, { ...mqOptions, clock });
  return {
    mq,
    ports,
    clock,
    sent: (topic) => record.sent.filter((message) => message.topic === topic),
    deadLetters: async (topic, group) => {
      const letters = await inMemory.admin.deadLetters(topic, group, { offset: 0, limit: Infinity });
      return letters.map(({ message, ...letter }) => ({
        ...letter,
        stored: message,
        message: decoded(topic, message),
      }));
    },
    drain: ({ withinMs = 4000 } = {}) => drain(mq, store, withinMs),
  };
}

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

async function drain(mq: Mq, store: InMemoryStore, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    // Watched from before the look: what happens in between is not missed.
    const progress = watchProgress(mq);
    try {
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

async function unfinished(mq: Mq, store: InMemoryStore): Promise<string[]> {
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
