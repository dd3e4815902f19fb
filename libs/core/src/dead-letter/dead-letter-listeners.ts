// The dead-letter listeners of one Mq.
import type { LoopHealth } from '../loop-health.js';
import type { Clock } from '../clock.js';
import { InvalidOptionError } from '../errors.js';
import type { MqEvents } from '../events.js';
import { DeadLetterConsumer } from './dead-letter-consumer.js';
import type { DeadLetterFeed } from './dead-letter-feed.js';
import {
  deadLetterListenerSpec,
  type DeadLetterHandler,
  type DeadLetterListenerOptions,
} from './dead-letter-listener.js';

export interface DeadLetterListenersParts {
  readonly feed: DeadLetterFeed;
  readonly clock: Clock;
  readonly events: MqEvents;
  /** Makes sure that the topic exists. */
  declareTopic(topic: string): Promise<unknown>;
}

export class DeadLetterListeners {
  /** By topic and group. */
  private readonly consumers = new Map<string, DeadLetterConsumer>();
  private readonly topics = new Set<string>();
  private unsubscribe?: () => void;

  constructor(private readonly parts: DeadLetterListenersParts) {}

  /** Throws InvalidOptionError. */
  add(options: DeadLetterListenerOptions, handler: DeadLetterHandler): void {
    const spec = deadLetterListenerSpec(options);
    const key = keyOf(spec);
    if (this.consumers.has(key))
      throw new InvalidOptionError('deadLetterListener', key, 'has a dead-letter listener in this process already');
    const { feed, clock, events } = this.parts;
    const onError = (error: unknown, loop: string): void => events.emit('loop-error', { loop, error });
    this.topics.add(spec.topic);
    this.consumers.set(key, new DeadLetterConsumer({ feed, clock, spec, handler, onError }));
  }

  /** Resolves when nothing can go untold any more. */
  async declare(): Promise<void> {
    await Promise.all([...this.topics].map((topic) => this.parts.declareTopic(topic)));
    await Promise.all([...this.consumers.values()].map((consumer) => consumer.declare()));
  }

  start(): void {
    this.unsubscribe = this.parts.events.on('dead-letter', (death) => this.consumers.get(keyOf(death))?.wake());
    for (const consumer of this.consumers.values()) consumer.start();
  }

  async stop(timeoutMs: number): Promise<void> {
    this.unsubscribe?.();
    this.unsubscribe = undefined;
    await Promise.all([...this.consumers.values()].map((consumer) => consumer.stop(timeoutMs)));
  }

  health(): LoopHealth[] {
    return this.unsubscribe === undefined ? [] : [...this.consumers.values()].map((consumer) => consumer.health());
  }
}

function keyOf({ topic, group }: { topic: string; group: string }): string {
  return `${topic}/${group}`;
}
