// The transaction listeners of one Mq. They belong to producers: they answer from the first use on until `close`, whether
// anything is consumed or not.
import type { Clock } from '../clock.js';
import type { Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import type { MqEvents } from '../events.js';
import type { LoopHealth } from '../loop-health.js';
import { CheckBack } from './check-back.js';
import type { HalfMessages, HalfOwner } from './half-messages.js';
import {
  checkWait,
  TRANSACTION_LISTENER_DEFAULTS,
  transactionListenerSpec,
  type TransactionCheck,
  type TransactionListenerOptions,
} from './transaction-listener.js';

export interface TransactionListenersParts {
  readonly half: HalfMessages | undefined;
  readonly clock: Clock;
  readonly events: MqEvents;
  /** Makes sure that the topic exists. */
  readonly declareTopic: (topic: string) => Promise<unknown>;
}

export class TransactionListeners {
  /** By topic and producer group. */
  private readonly loops = new Map<string, CheckBack>();
  private running = false;
  private stopped = false;

  constructor(private readonly parts: TransactionListenersParts) {}

  /** Throws InvalidOptionError. */
  add(options: TransactionListenerOptions, check: TransactionCheck): void {
    const { half, clock, events, declareTopic } = this.parts;
    if (!half) throw new InvalidOptionError('transactionListener', options, 'the broker has no half messages');
    const spec = transactionListenerSpec(options);
    const taken = spec.topics.find((topic) => this.loops.has(keyOf(topic, spec.producerGroup)));
    if (taken !== undefined)
      throw new InvalidOptionError(
        'transactionListener',
        keyOf(taken, spec.producerGroup),
        'has a transaction listener in this process already',
      );
    for (const topic of spec.topics) {
      const loop = new CheckBack({ half, clock, events, declareTopic, topic, spec, check });
      this.loops.set(keyOf(topic, spec.producerGroup), loop);
      if (this.running && !this.stopped) loop.start();
    }
  }

  /** Begins to answer. Without effect the second time. */
  begin(): void {
    if (this.running || this.stopped) return;
    this.running = true;
    for (const loop of this.loops.values()) loop.start();
  }

  /** Resolves when the topics exist. */
  async declare(): Promise<void> {
    const topics = new Set([...this.loops.values()].map(({ topic }) => topic));
    await Promise.all([...topics].map((topic) => this.parts.declareTopic(topic)));
  }

  /**
   * Whose a new half message is; begins to answer for it. Throws InvalidOptionError when nobody in this process could:
   * a half message that nobody is asked about would stay for ever.
   */
  ownerOf(topic: string, group: string | undefined, checkAfter: Duration | undefined): HalfOwner {
    const producerGroup = group ?? TRANSACTION_LISTENER_DEFAULTS.producerGroup;
    const loop = this.loops.get(keyOf(topic, producerGroup));
    if (!loop)
      throw new InvalidOptionError(
        'sendInTransaction.producerGroup',
        producerGroup,
        `has no transaction listener for topic ${topic} in this process`,
      );
    const path = 'sendInTransaction.checkAfter';
    return { producerGroup, checkAfterMs: checkAfter === undefined ? loop.checkAfterMs : checkWait(path, checkAfter) };
  }

  /** A half message was stored. */
  expect(topic: string, { producerGroup, checkAfterMs }: HalfOwner): void {
    this.begin();
    this.loops.get(keyOf(topic, producerGroup))?.wakeIn(checkAfterMs);
  }

  /** Waits for running checks so long; who has not answered then is asked again, here or elsewhere. */
  async stop(timeoutMs: number): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.loops.values()].map((loop) => loop.end(timeoutMs)));
  }

  health(): LoopHealth[] {
    return this.running ? [...this.loops.values()].map((loop) => loop.health()) : [];
  }
}

function keyOf(topic: string, producerGroup: string): string {
  return `${topic}/${producerGroup}`;
}
