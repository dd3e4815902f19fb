// Who answers for half messages whose sender has not decided: options, defaults and checks in one place.
import { toMs, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import type { Message } from '../message/message.js';
import { checkInteger, checkOptions } from '../option-check.js';
import { checkGroupName, checkTopicName } from '../topic.js';
import type { TransactionDecision } from './half-message.js';

export interface TransactionListenerOptions {
  /** Whose half messages it answers for: one topic, or several. */
  topic: string | readonly string[];
  /**
   * Only for half messages that were sent under this name. Processes with one name answer for each other, so they must be
   * able to look into the same database. @default 'producers'
   */
  producerGroup?: string;
  /** How long after a half message was stored it is asked about first; at least '1s'. @default '6s' */
  checkAfter?: Duration;
  /** Pause between two checks of one half message, and how long a check may take; at least '1s'. @default '60s' */
  checkInterval?: Duration;
  /** Checks after which it is parked when the next one would be due, 1 to 10000. @default 15 */
  maxChecks?: number;
  /** Checks at the same time in this process, 1 to 100. @default 5 */
  concurrency?: number;
}

export interface TransactionCheckContext {
  readonly topic: string;
  readonly producerGroup: string;
  /** Which check of this message it is: 1 is the first. */
  readonly checks: number;
  /** When the half message was stored, by the broker's clock. */
  readonly since: Date;
  /** Aborted when `checkInterval` is over, or when the process shuts down and waits no longer. */
  readonly signal: AbortSignal;
}

/**
 * Looks whether the local transaction of this message was committed. `unknown`, or a throw: asked again. Say `rollback` only
 * when the transaction cannot be under way any more: what is rolled back is never delivered.
 */
export type TransactionCheck<T = unknown> = (
  message: Message<T>,
  context: TransactionCheckContext,
) => Promise<TransactionDecision>;

/** Timing and limits are those of Apache RocketMQ 4 (transactionTimeOut, transactionCheckInterval, transactionCheckMax). */
export const TRANSACTION_LISTENER_DEFAULTS = {
  producerGroup: 'producers',
  checkAfter: '6s',
  checkInterval: '60s',
  maxChecks: 15,
  concurrency: 5,
} as const;

export interface TransactionListenerSpec {
  readonly topics: readonly string[];
  readonly producerGroup: string;
  readonly checkAfterMs: number;
  readonly checkIntervalMs: number;
  readonly maxChecks: number;
  readonly concurrency: number;
}

const PATH = 'transactionListener';

/** Throws InvalidOptionError. */
export function transactionListenerSpec(options: TransactionListenerOptions): TransactionListenerSpec {
  checkOptions(PATH, options, ['topic', ...Object.keys(TRANSACTION_LISTENER_DEFAULTS)]);
  const given = { ...TRANSACTION_LISTENER_DEFAULTS, ...options };
  const { producerGroup, maxChecks, concurrency } = TRANSACTION_LISTENER_DEFAULTS;
  return {
    topics: topicsOf(given.topic),
    producerGroup: checkGroupName(given.producerGroup ?? producerGroup, `${PATH}.producerGroup`),
    checkAfterMs: checkWait(`${PATH}.checkAfter`, given.checkAfter ?? TRANSACTION_LISTENER_DEFAULTS.checkAfter),
    checkIntervalMs: checkWait(
      `${PATH}.checkInterval`,
      given.checkInterval ?? TRANSACTION_LISTENER_DEFAULTS.checkInterval,
    ),
    maxChecks: checkInteger(`${PATH}.maxChecks`, given.maxChecks ?? maxChecks, 1, 10_000),
    concurrency: checkInteger(`${PATH}.concurrency`, given.concurrency ?? concurrency, 1, 100),
  };
}

/** At least a second: a check asks a database, and the sender must have had time to decide. Throws InvalidOptionError. */
export function checkWait(option: string, given: unknown): number {
  const ms = toMs(option, given);
  if (ms < 1000) throw new InvalidOptionError(option, given, "must be at least '1s'");
  return ms;
}

function topicsOf(topic: unknown): string[] {
  const topics = [...new Set(Array.isArray(topic) ? (topic as unknown[]) : [topic])];
  if (topics.length === 0) throw new InvalidOptionError(`${PATH}.topic`, topic, 'must name at least one topic');
  return topics.map((one) => checkTopicName(one, `${PATH}.topic`));
}
