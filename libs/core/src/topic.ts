// A topic: its name rules, its settings, their defaults. Fixed at creation and stored beside the messages.
import { InvalidOptionError } from './errors.js';
import { checkInteger, checkOptions } from './option-check.js';
import { checkTtl, toMs, type Duration } from './duration.js';

/** What code may say of a topic; everything but the name has a default. */
export interface TopicOptions {
  topic: string;
  /** Units of atomicity and of Cluster placement. @default 1 */
  shards?: number;
  /** Units of order, over all shards; a multiple of `shards`. @default 4 */
  queues?: number;
  /** Buckets of the delay store per shard, about 250,000 scheduled messages each. @default 4 */
  delayBuckets?: number;
  /** How long an idempotency key is remembered after the message is due. @default '24h' */
  idempotencyWindow?: Duration;
  /** Farthest delay accepted. @default '365d' */
  maxDelay?: Duration;
  /** How long settled messages are kept for replay. @default '1h' */
  retention?: Duration;
  /** How many settled messages are kept at most. @default 100000 */
  retentionCount?: number;
  /**
   * How many bytes of memory the queues may take for the sake of settled messages, by the server's estimate; with
   * `retention` and `retentionCount` whichever is least holds. @default 64 MiB
   */
  retentionBytes?: number;
  /** How many dead letters of a group are kept at most; the oldest go first, and are counted. @default 100000 */
  deadLetterCount?: number;
  /** How long a message without a ttl of its own may wait for a handler once it is ready. @default without end */
  ttl?: Duration;
  /**
   * How many ready messages the slowest group may have unsettled, leased and retrying ones included; each shard has its
   * share. Messages that become due or are redriven come in all the same. @default without end
   */
  maxLength?: number;
  /**
   * What happens to a send that finds the topic full: the caller gets a `BrokerRefusedError` with code `MQ_TOPIC_FULL`,
   * or the groups that are behind lose their oldest unsettled messages. @default 'reject'
   */
  onFull?: 'reject' | 'drop-oldest';
  /**
   * A group without a live member for this long raises `group-idle`. Members give a sign every few seconds, so no less
   * than a minute makes sense. @default '24h'
   */
  idleAfter?: Duration;
  /**
   * What becomes of such a group. `alarm`: only that; what it has not read stays. With `expireAfter` it is destroyed when
   * it was idle for that long, with all it has, dead letters too, and trimming is free of it. @default 'alarm'
   */
  idleGroups?: 'alarm' | { expireAfter: Duration };
  /** How long dead letters are kept. @default '14d' */
  deadLetterRetention?: Duration;
}

/** `TopicOptions` with every value filled in and every duration in ms. */
export interface TopicSpec {
  topic: string;
  shards: number;
  queues: number;
  delayBuckets: number;
  idempotencyWindowMs: number;
  maxDelayMs: number;
  retentionMs: number;
  retentionCount: number;
  retentionBytes: number;
  deadLetterRetentionMs: number;
  deadLetterCount: number;
  /** Absent: without end. */
  ttlMs?: number;
  /** Absent: without end. */
  maxLength?: number;
  /** Present together with `maxLength`. */
  onFull?: 'reject' | 'drop-oldest';
  idleAfterMs: number;
  /** Absent: idle groups do not expire. */
  idleExpireMs?: number;
  /** Whether a missing topic may be created. */
  autoCreate: boolean;
  /** Names the options that code spelled out: only these can conflict with stored ones. */
  explicit: readonly TopicSetting[];
}

export type TopicSetting = Exclude<keyof TopicSpec, 'topic' | 'autoCreate' | 'explicit'>;

/** What is stored for the topic and holds for every process. */
export type TopicSettings = Omit<TopicSpec, 'autoCreate' | 'explicit'>;

export const TOPIC_DEFAULTS = {
  shards: 1,
  queues: 4,
  delayBuckets: 4,
  idempotencyWindow: '24h',
  maxDelay: '365d',
  retention: '1h',
  retentionCount: 100_000,
  retentionBytes: 64 * 1024 * 1024,
  deadLetterRetention: '14d',
  idleAfter: '24h',
  deadLetterCount: 100_000,
} as const;

/** Without a default: absent means that there is no such limit. */
const OPTIONAL = ['ttl', 'maxLength', 'onFull', 'idleGroups'] as const;
const KNOWN = ['topic', ...Object.keys(TOPIC_DEFAULTS), ...OPTIONAL];

const NAME = /^[%a-zA-Z0-9_.-]{1,127}$/;
const GROUP = /^[%a-zA-Z0-9_.-]{1,120}$/;

/** RocketMQ's topic name rule. */
export function checkTopicName(topic: unknown, option = 'topic'): string {
  if (typeof topic !== 'string' || !NAME.test(topic))
    throw new InvalidOptionError(option, topic, 'a topic name is 1 to 127 of the characters % a-z A-Z 0-9 _ . -');
  return topic;
}

/** RocketMQ's group name rule. */
export function checkGroupName(group: unknown, option = 'group'): string {
  if (typeof group !== 'string' || !GROUP.test(group))
    throw new InvalidOptionError(option, group, 'a group name is 1 to 120 of the characters % a-z A-Z 0-9 _ . -');
  return group;
}

/** Checks and completes topic options. Throws InvalidOptionError. */
export function topicSpec(options: TopicOptions, autoCreate = true): TopicSpec {
  checkOptions('topic', options, KNOWN);
  checkTopicName(options.topic);
  const given = { ...TOPIC_DEFAULTS, ...withoutUndefined(options) };
  const shards = checkInteger('topic.shards', given.shards, 1, 1024);
  const queues = checkInteger('topic.queues', given.queues, 1, 4096);
  if (queues % shards !== 0)
    throw new InvalidOptionError('topic.queues', queues, `must be a multiple of shards (${shards})`);
  return {
    topic: options.topic,
    shards,
    queues,
    delayBuckets: checkInteger('topic.delayBuckets', given.delayBuckets, 1, 256),
    idempotencyWindowMs: toMs('topic.idempotencyWindow', given.idempotencyWindow),
    maxDelayMs: toMs('topic.maxDelay', given.maxDelay),
    retentionMs: toMs('topic.retention', given.retention),
    retentionCount: checkInteger('topic.retentionCount', given.retentionCount, 0, Number.MAX_SAFE_INTEGER),
    retentionBytes: checkInteger('topic.retentionBytes', given.retentionBytes, 0, Number.MAX_SAFE_INTEGER),
    deadLetterRetentionMs: toMs('topic.deadLetterRetention', given.deadLetterRetention),
    deadLetterCount: checkInteger('topic.deadLetterCount', given.deadLetterCount, 0, Number.MAX_SAFE_INTEGER),
    ...(options.ttl === undefined ? {} : { ttlMs: checkTtl('topic.ttl', options.ttl) }),
    ...bound(options),
    idleAfterMs: toMs('topic.idleAfter', given.idleAfter),
    ...idlePolicy(options.idleGroups),
    autoCreate,
    explicit: SETTINGS.filter(([option]) => options[option] !== undefined).map(([, setting]) => setting),
  };
}

/** Settings as they were stored, perhaps by a version that knew fewer of them: what is missing has its default. */
export function storedSettings(stored: { topic: string } & Partial<TopicSettings>): TopicSettings {
  const { autoCreate: _autoCreate, explicit: _explicit, ...defaults } = topicSpec({ topic: stored.topic });
  return { ...defaults, ...stored };
}

function idlePolicy(policy: unknown = 'alarm'): Pick<TopicSpec, 'idleExpireMs'> {
  if (policy === 'alarm') return {};
  checkOptions('topic.idleGroups', policy, ['expireAfter']);
  const { expireAfter } = policy as { expireAfter: Duration };
  return { idleExpireMs: toMs('topic.idleGroups.expireAfter', expireAfter) };
}

function bound({ maxLength, onFull }: TopicOptions): Pick<TopicSpec, 'maxLength' | 'onFull'> {
  if (onFull !== undefined && onFull !== 'reject' && onFull !== 'drop-oldest')
    throw new InvalidOptionError('topic.onFull', onFull, "must be 'reject' or 'drop-oldest'");
  if (maxLength === undefined) {
    if (onFull !== undefined) throw new InvalidOptionError('topic.onFull', onFull, 'needs a maxLength');
    return {};
  }
  const checked = checkInteger('topic.maxLength', maxLength, 1, Number.MAX_SAFE_INTEGER);
  return { maxLength: checked, onFull: onFull ?? 'reject' };
}

const SETTINGS: readonly [keyof TopicOptions, TopicSetting][] = [
  ['shards', 'shards'],
  ['queues', 'queues'],
  ['delayBuckets', 'delayBuckets'],
  ['idempotencyWindow', 'idempotencyWindowMs'],
  ['maxDelay', 'maxDelayMs'],
  ['retention', 'retentionMs'],
  ['retentionCount', 'retentionCount'],
  ['retentionBytes', 'retentionBytes'],
  ['deadLetterRetention', 'deadLetterRetentionMs'],
  ['deadLetterCount', 'deadLetterCount'],
  ['ttl', 'ttlMs'],
  ['idleAfter', 'idleAfterMs'],
  ['idleGroups', 'idleExpireMs'],
  ['maxLength', 'maxLength'],
  ['onFull', 'onFull'],
];

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
