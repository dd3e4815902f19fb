// For tests only, used by @millrace/testing: a connection to a real server whose time is the test's.
import { InvalidOptionError, MqError } from '@millrace/core';
import { isClusterConnection } from '../connection-options.js';
import { Connections } from '../connections.js';
import { openRedis, type RedisOptions, type RedisPorts } from '../connect-redis.js';
import { virtualClockKey } from '../keys.js';
import { moveScript, type VirtualTime } from './virtual-time.js';

export interface VirtualRedisPorts extends RedisPorts {
  /**
   * Moves the server's time of the namespace, never back: leases grow older, lives of keys end. Without an instant it only
   * looks. Returns how many deliveries are pending in the namespace.
   */
  readonly moveTo: (nowMs?: number) => Promise<number>;
  /** Removes everything that the namespace has on the server. */
  readonly removeAll: () => Promise<void>;
}

/**
 * Ports like those of `connectRedis`, running the same scripts; but in this namespace the server's time stands still until
 * `moveTo`. Every connection to the namespace must be such a one. Throws InvalidOptionError: a Redis Cluster, whose nodes
 * have no clock in common.
 */
export function connectRedisVirtually(options: RedisOptions, time: VirtualTime): VirtualRedisPorts {
  const { connection, namespace = 'mq' } = options;
  if (typeof connection === 'object' && connection !== null && isClusterConnection(connection))
    throw new InvalidOptionError('connection.nodes', 'a Cluster', 'is not supported by the virtual clock');
  const key = virtualClockKey(namespace);
  const { ports, connections } = openRedis(options, {
    key,
    now: () => Math.floor(time.now()),
    monotonic: () => time.monotonic(),
    rest: (ms, signal) => time.rest(ms, signal),
  });
  return {
    ...ports,
    moveTo: async (nowMs) => {
      const pending = await connections
        .command()
        .eval(moveScript(), 1, key, nowMs === undefined ? '' : Math.floor(nowMs));
      if (typeof pending !== 'number') throw new MqError('the clock was not moved', { code: 'MQ_UNAVAILABLE' });
      return pending;
    },
    removeAll: async () => {
      // One of its own: the others may be closed already.
      const own = new Connections(connection, connections.settings);
      const all = `${key.slice(0, key.indexOf(':') + 1)}*`;
      let cursor = '0';
      do {
        const [next, found] = await own.command().scan(cursor, 'MATCH', all, 'COUNT', 1000);
        if (found.length > 0) await own.command().unlink(...found);
        cursor = next;
      } while (cursor !== '0');
      await own.close();
    },
  };
}
