// Options of a listener: documentation, defaults and validation in one place.
import { checkGroupConcurrency, checkRate, type CheckedRate, type RateLimit } from '../control/group-limits.js';
import { toMs, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import { checkIdempotent, type IdempotentOptions, type IdempotentSpec } from '../idempotency/idempotent-option.js';
import { parseTags, type TagExpression } from '../message/tag-expression.js';
import { checkInteger, checkOptions } from '../option-check.js';
import type { DelayLevels } from '../delay/delay-levels.js';
import { backoffOf, type Backoff, type BackoffFunction } from '../retry/backoff.js';
import { isErrorClass, type ErrorClass } from '../retry/error-class.js';
import { checkGroupName, checkTopicName } from '../topic.js';
import type { ConsumeMode } from './subscription.js';

/** A group in one of its modes, or a listener without a group's state. */
export type ListenMode = ConsumeMode | 'broadcast';

/** What `@MqListener` and `mq.listen` take. */
export interface ListenerOptions {
  topic: string;
  /** Consumer group: each group gets every message once, its members share them. */
  group: string;
  /** RocketMQ tag expression: '*', 'a', 'a || b'. @default '*' */
  tags?: string;
  /**
   * `ordered`: one at a time per ordering key, over all processes. `broadcast`: every live instance gets every message,
   * nothing is stored for it (docs/broadcast.md). @default 'concurrent'
   */
  mode?: ListenMode;
  /** Handlers running at once in this process. @default 20 */
  concurrency?: number;
  /**
   * Messages leased ahead of running handlers. @default the concurrency; with quick handlers up to four times that, as long
   * as it is no more than 20 ms of work
   */
  prefetch?: number;
  /**
   * Bytes of stored bodies in hand, running ones included; from there on nothing more is fetched. One message is always
   * taken, however large. Each listener of a group adds its own. @default 64 MiB
   */
  prefetchBytes?: number;
  /**
   * Handler starts of the whole group, over all processes: at most `max` per `per`, evenly spread. Listeners of the
   * group share it. `admin.setLimits` changes it at run time. @default no limit
   */
  rateLimit?: RateLimit;
  /** Handlers of the whole group that run at once, over all processes and listeners; as `rateLimit`. @default no limit */
  groupConcurrency?: number;
  /** Attempts before the dead letter; a message's own `maxAttempts` wins. @default 17 (8 when ordered or broadcast); RocketMQ: 16 retries */
  maxAttempts?: number;
  /** Process crashes before the dead letter. @default 3 */
  maxCrashes?: number;
  /**
   * When attempts or crashes are spent: `dead-letter`, or (`mode: 'ordered'` only) `park`: the message stays the first of
   * its ordering key, and the key waits until an operator calls `admin.resumeKey` or `admin.skipKey`. Messages without an
   * ordering key become dead letters all the same. @default 'dead-letter'
   */
  onExhausted?: 'dead-letter' | 'park';
  /** Wait between attempts. @default 'ladder', RocketMQ's 10s 30s 1m … 2h; when ordered or broadcast 1s × 2, at most 30s */
  backoff?: Backoff;
  /** What becomes of a message whose `ttl` is over before a handler was there for it. @default 'dead-letter' */
  onExpired?: 'dead-letter' | 'drop';
  /** Error classes that go to the dead letters at once. @default [] */
  noRetry?: readonly ErrorClass[];
  /**
   * Each key is handled once within the group: of messages with one key, and of deliveries of one message, one runs to its
   * end; the others wait for it and are then acked without running (docs/idempotency.md). @default false
   */
  idempotent?: boolean | IdempotentOptions;
  /** Longest run of a handler; then its signal aborts, and 5 s later it counts as failed. @default '15m' */
  timeout?: Duration;
  /** A delivery is ours for this long without renewal; stored with the group. @default '30s' */
  lease?: Duration;
  /** Where a new group starts; in broadcast mode each start of an instance. @default 'first' ('last' when broadcast) */
  startFrom?: 'first' | 'last' | Date;
  /**
   * Broadcast mode: a name of this process that survives its restart ('pod-1'). Its place is kept under it for 24 h, and
   * the next start goes on there. @default none: each start begins at `startFrom`
   */
  instance?: string;
}

/** `ListenerOptions` checked and completed. */
export interface ListenerSpec {
  readonly topic: string;
  readonly group: string;
  readonly tags: TagExpression;
  /** As written, for messages and comparison. */
  readonly tagText: string;
  readonly mode: ListenMode;
  readonly concurrency: number;
  readonly prefetch: number;
  /** Nobody said how much: it may become more. */
  readonly prefetchGrows: boolean;
  readonly prefetchBytes: number;
  readonly rateLimit?: CheckedRate;
  readonly groupConcurrency?: number;
  readonly maxAttempts: number;
  readonly maxCrashes: number;
  readonly onExhausted: 'dead-letter' | 'park';
  readonly backoff: BackoffFunction;
  readonly noRetry: readonly ErrorClass[];
  readonly onExpired: 'dead-letter' | 'drop';
  readonly idempotent?: IdempotentSpec;
  readonly timeoutMs: number;
  readonly leaseMs: number;
  readonly startFrom: 'first' | 'last' | Date;
  readonly instance: string | undefined;
}

export const LISTENER_DEFAULTS = {
  tags: '*',
  mode: 'concurrent',
  concurrency: 20,
  prefetchBytes: 64 * 1024 * 1024,
  maxAttempts: 17,
  maxCrashes: 3,
  onExhausted: 'dead-letter',
  backoff: 'ladder',
  onExpired: 'dead-letter',
  noRetry: [],
  timeout: '15m',
  lease: '30s',
  startFrom: 'first',
} as const satisfies Partial<ListenerOptions>;

/** Where ordered listeners differ: waiting blocks a key, so waits are short and fewer. */
export const ORDERED_DEFAULTS = {
  maxAttempts: 8,
  backoff: { type: 'exponential', delay: '1s', cap: '30s' },
} as const satisfies Partial<ListenerOptions>;

/** Where broadcast listeners differ: what waits for its next attempt waits in memory, and an instance begins with now. */
export const BROADCAST_DEFAULTS = {
  ...ORDERED_DEFAULTS,
  startFrom: 'last',
} as const satisfies Partial<ListenerOptions>;

const DEFAULTS = {
  concurrent: LISTENER_DEFAULTS,
  ordered: { ...LISTENER_DEFAULTS, ...ORDERED_DEFAULTS },
  broadcast: { ...LISTENER_DEFAULTS, ...BROADCAST_DEFAULTS },
} as const;

/** Options of a group's stored state: nothing is stored for a broadcast listener. */
const NOT_FOR_BROADCAST = ['lease', 'maxCrashes', 'rateLimit', 'groupConcurrency'] as const;

const KNOWN = [
  'topic',
  'group',
  'prefetch',
  'rateLimit',
  'groupConcurrency',
  'instance',
  'idempotent',
  ...Object.keys(LISTENER_DEFAULTS),
];

/**
 * Checks and completes listener options. Throws InvalidOptionError.
 * @param levels the delay table that the ladder climbs. @default RocketMQ's 18 levels
 */
export function listenerSpec(options: ListenerOptions, levels?: DelayLevels): ListenerSpec {
  checkOptions('listener', options, KNOWN);
  const mode = options.mode ?? LISTENER_DEFAULTS.mode;
  if (mode !== 'concurrent' && mode !== 'ordered' && mode !== 'broadcast')
    throw new InvalidOptionError('listener.mode', mode, "must be 'concurrent', 'ordered' or 'broadcast'");
  const defaults = DEFAULTS[mode];
  const concurrency = checkInteger('listener.concurrency', options.concurrency ?? defaults.concurrency, 1, 10_000);
  const tagText = options.tags ?? defaults.tags;
  const leaseMs = toMs('listener.lease', options.lease ?? defaults.lease);
  if (leaseMs < 300) throw new InvalidOptionError('listener.lease', options.lease, 'must be at least 300ms');
  const timeoutMs = toMs('listener.timeout', options.timeout ?? defaults.timeout);
  if (timeoutMs < 1) throw new InvalidOptionError('listener.timeout', options.timeout, 'must be at least 1ms');
  return {
    topic: checkTopicName(options.topic, 'listener.topic'),
    group: checkGroupName(options.group, 'listener.group'),
    tags: parseTags(tagText, 'listener.tags'),
    tagText,
    mode,
    concurrency,
    prefetch: checkInteger('listener.prefetch', options.prefetch ?? concurrency, 0, 100_000),
    prefetchGrows: options.prefetch === undefined,
    prefetchBytes: checkInteger(
      'listener.prefetchBytes',
      options.prefetchBytes ?? defaults.prefetchBytes,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    ...groupLimits(options),
    maxAttempts: checkInteger('listener.maxAttempts', options.maxAttempts ?? defaults.maxAttempts, 1, 10_000),
    maxCrashes: checkInteger('listener.maxCrashes', options.maxCrashes ?? defaults.maxCrashes, 1, 10_000),
    onExhausted: checkExhausted(options.onExhausted ?? defaults.onExhausted, mode),
    backoff: backoffOf(options.backoff ?? defaults.backoff, levels),
    noRetry: checkNoRetry(options.noRetry ?? defaults.noRetry),
    onExpired: checkOnExpired(options.onExpired ?? defaults.onExpired),
    idempotent: checkIdempotent(options.idempotent, mode),
    timeoutMs,
    leaseMs,
    startFrom: checkStart(options.startFrom ?? defaults.startFrom),
    instance: checkInstance(options, mode),
  };
}

function checkExhausted(what: unknown, mode: ListenMode): 'dead-letter' | 'park' {
  if (what !== 'dead-letter' && what !== 'park')
    throw new InvalidOptionError('listener.onExhausted', what, "must be 'dead-letter' or 'park'");
  if (what === 'park' && mode !== 'ordered')
    throw new InvalidOptionError('listener.onExhausted', what, "needs mode 'ordered': only an ordering key can wait");
  return what;
}

function groupLimits({ rateLimit, groupConcurrency }: ListenerOptions): Partial<ListenerSpec> {
  return {
    ...(rateLimit === undefined ? {} : { rateLimit: checkRate('listener.rateLimit', rateLimit) }),
    ...(groupConcurrency === undefined
      ? {}
      : { groupConcurrency: checkGroupConcurrency('listener.groupConcurrency', groupConcurrency) }),
  };
}

function checkNoRetry(classes: unknown): readonly ErrorClass[] {
  if (!Array.isArray(classes) || !classes.every(isErrorClass))
    throw new InvalidOptionError('listener.noRetry', classes, 'must be a list of error classes');
  return classes;
}

function checkOnExpired(given: unknown): 'dead-letter' | 'drop' {
  if (given === 'dead-letter' || given === 'drop') return given;
  throw new InvalidOptionError('listener.onExpired', given, "must be 'dead-letter' or 'drop'");
}

function checkStart(start: unknown): 'first' | 'last' | Date {
  if (start === 'first' || start === 'last') return start;
  if (start instanceof Date && !Number.isNaN(start.getTime())) return start;
  throw new InvalidOptionError('listener.startFrom', start, "must be 'first', 'last' or a Date");
}

/** Also refuses what has no meaning in the mode: an option that does nothing is a mistake somebody relies on. */
function checkInstance(options: ListenerOptions, mode: ListenMode): string | undefined {
  const { instance } = options;
  for (const option of mode === 'broadcast' ? NOT_FOR_BROADCAST : []) {
    if (options[option] !== undefined)
      throw new InvalidOptionError(`listener.${option}`, options[option], 'has no meaning in broadcast mode');
  }
  if (instance === undefined) return undefined;
  if (mode !== 'broadcast')
    throw new InvalidOptionError('listener.instance', instance, 'has a meaning in broadcast mode only');
  return checkGroupName(instance, 'listener.instance');
}
