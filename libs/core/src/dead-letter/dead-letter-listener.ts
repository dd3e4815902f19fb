// What a dead-letter listener is told: options, defaults and checks in one place.
import { toMs, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import type { Message } from '../message/message.js';
import { checkInteger, checkOptions } from '../option-check.js';
import { checkGroupName, checkTopicName } from '../topic.js';
import type { DeadLetter } from './dead-letter.js';

export interface DeadLetterListenerOptions {
  topic: string;
  /** The group whose dead letters are told of. */
  group: string;
  /** Handlers at the same time in this process, 1 to 100. @default 5 */
  concurrency?: number;
  /** How long a process may be silent before another one is told; renewed while a handler runs; at least '1s'. @default '1m' */
  lease?: Duration;
  /** How long after a handler failed the letter is told again; there is no end to it. @default '30s' */
  retryDelay?: Duration;
}

export interface DeadLetterContext {
  /** Undefined when it cannot be decoded. */
  readonly message?: Message;
  /** Aborted when the letter is not this process's any more, or when it shuts down and waits no longer. */
  readonly signal: AbortSignal;
}

/** Resolves: told. Rejects: told again after `retryDelay`. */
export type DeadLetterHandler = (letter: DeadLetter, context: DeadLetterContext) => unknown;

export const DEAD_LETTER_LISTENER_DEFAULTS = { concurrency: 5, lease: '1m', retryDelay: '30s' } as const;

export interface DeadLetterListenerSpec {
  readonly topic: string;
  readonly group: string;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly retryDelayMs: number;
}

/** Throws InvalidOptionError. */
export function deadLetterListenerSpec(options: DeadLetterListenerOptions): DeadLetterListenerSpec {
  const path = 'deadLetterListener';
  checkOptions(path, options, ['topic', 'group', ...Object.keys(DEAD_LETTER_LISTENER_DEFAULTS)]);
  const { concurrency, lease, retryDelay } = DEAD_LETTER_LISTENER_DEFAULTS;
  const leaseMs = toMs(`${path}.lease`, options.lease ?? lease);
  if (leaseMs < 1000) throw new InvalidOptionError(`${path}.lease`, options.lease, "must be at least '1s'");
  return {
    topic: checkTopicName(options.topic, `${path}.topic`),
    group: checkGroupName(options.group, `${path}.group`),
    concurrency: checkInteger(`${path}.concurrency`, options.concurrency ?? concurrency, 1, 100),
    leaseMs,
    retryDelayMs: toMs(`${path}.retryDelay`, options.retryDelay ?? retryDelay),
  };
}
