// The entry: options of a Redis connection, their defaults and checks, and the ports behind it.
import {
  checkOptions,
  InvalidOptionError,
  toMs,
  type BrokerPorts,
  type Duration,
  type OnceRecords,
} from '@millrace/core';
import { Caller } from './caller.js';
import type { RedisConnection } from './connection-options.js';
import { Connections } from './connections.js';
import { DeclaredGroups } from './declared-groups.js';
import { DurableLanes } from './durable-lanes.js';
import { RedisAdmin } from './redis-admin.js';
import { RedisBroadcast } from './redis-broadcast.js';
import { RedisBroker } from './redis-broker.js';
import { RedisDeadLetterFeed } from './redis-dead-letter-feed.js';
import { RedisGroupControl } from './redis-group-control.js';
import { RedisOnce } from './redis-once.js';
import { RedisHalf } from './redis-half.js';
import { RedisQueueLeases } from './redis-queue-leases.js';
import { RedisScheduleStore } from './redis-schedule-store.js';
import { ServerClock } from './server-clock.js';
import { Topics } from './topics.js';
import type { VirtualClock } from './virtual/virtual-time.js';

export interface RedisOptions {
  /**
   * A URL such as 'redis://127.0.0.1:6379', ioredis options (also for Sentinel), `{ nodes: [...] }` with ioredis
   * ClusterOptions for a Redis Cluster, or a factory that makes a new ioredis client each time (docs/redis-servers.md).
   */
  connection: RedisConnection;
  /** First part of every key, so that several applications can share a server. @default 'mq' */
  namespace?: string;
  /** How long a call is tried before it fails, or its fate is reported as unknown. @default '30s' */
  sendTimeout?: Duration;
  /**
   * A server that says nothing for this long while calls are under way is taken for dead, whatever its socket looks like
   * (half-open after a network fault): the socket is rebuilt and the calls are sent again. At least 1s. @default '15s'
   */
  silenceTimeout?: Duration;
}

export const REDIS_DEFAULTS = { namespace: 'mq', sendTimeout: '30s', silenceTimeout: '15s' } as const;

/** State of the connection, for health checks. */
export interface RedisHealth {
  readonly connected: boolean;
  readonly lastError: unknown;
}

export interface RedisPorts extends BrokerPorts {
  readonly once: OnceRecords;
  health(): RedisHealth;
}

/**
 * Ports on a Redis server (made for 7.0.5 and newer, tested on 7.0.15). Opens nothing before the first use. Throws InvalidOptionError.
 */
export function connectRedis(options: RedisOptions): RedisPorts {
  return openRedis(options).ports;
}

/** @param virtual time of a test; see virtual/connect-virtually.ts */
export function openRedis(
  options: RedisOptions,
  virtual?: VirtualClock,
): { ports: RedisPorts; connections: Connections } {
  checkOptions('redis', options, ['connection', ...Object.keys(REDIS_DEFAULTS)]);
  const namespace = options.namespace ?? REDIS_DEFAULTS.namespace;
  if (typeof namespace !== 'string' || !/^[a-zA-Z0-9_.-]{1,64}$/.test(namespace))
    throw new InvalidOptionError('redis.namespace', namespace, 'is 1 to 64 of the characters a-z A-Z 0-9 _ . -');
  const deadlineMs = toMs('redis.sendTimeout', options.sendTimeout ?? REDIS_DEFAULTS.sendTimeout);
  if (deadlineMs < 100)
    throw new InvalidOptionError('redis.sendTimeout', options.sendTimeout, 'must be at least 100ms');
  const silenceMs = toMs('redis.silenceTimeout', options.silenceTimeout ?? REDIS_DEFAULTS.silenceTimeout);
  if (silenceMs < 1_000)
    throw new InvalidOptionError('redis.silenceTimeout', options.silenceTimeout, 'must be at least 1s');
  const connections = new Connections(options.connection, { silenceMs }, virtual);
  const clock = new ServerClock(connections);
  const caller = new Caller(connections, deadlineMs, clock);
  const topics = new Topics(caller, namespace);
  const groups = new DeclaredGroups(connections);
  const broadcast = new RedisBroadcast(connections, caller, topics);
  const lanes = new DurableLanes(connections, deadlineMs);
  const broker = new RedisBroker(connections, caller, topics, groups, clock, lanes, () => broadcast.close());
  const ports: RedisPorts = {
    broker,
    leases: new RedisQueueLeases(caller, topics),
    control: new RedisGroupControl(caller, topics, groups),
    broadcast,
    admin: new RedisAdmin(connections, caller, topics, groups),
    deadLetters: new RedisDeadLetterFeed(caller, topics),
    once: new RedisOnce(caller, topics),
    schedules: new RedisScheduleStore(caller, topics),
    half: new RedisHalf(caller, topics, lanes, broker.scheduled),
    health: () => ({ connected: connections.connected, lastError: connections.lastError }),
  };
  return { ports, connections };
}
