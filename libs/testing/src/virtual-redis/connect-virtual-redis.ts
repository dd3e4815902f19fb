// The way in to a real Redis whose time a test moves.
import { randomBytes } from 'node:crypto';
import type { Broker, BrokerPorts, TopicSpec } from '@millrace/core';
import { connectRedisVirtually, type RedisHealth, type RedisOptions } from '@millrace/redis';
import type { ClockedStore } from '../clocked-store.js';
import { ManualClock } from '../manual-clock.js';
import { CallsUnderWay } from './calls-under-way.js';

export interface VirtualRedisOptions extends RedisOptions {
  /** Moves everything of this namespace. Connections that share a namespace must share it too. @default a new ManualClock */
  clock?: ManualClock;
  /** @default a new one for each connection, so that specs run side by side on one server */
  namespace?: string;
}

export interface VirtualRedis extends BrokerPorts {
  readonly clock: ManualClock;
  readonly namespace: string;
  health(): RedisHealth;
  /** What was declared by this connection. */
  topicNames(): string[];
  /** Removes everything of the namespace from the server. Close the connections first. */
  removeAll(): Promise<void>;
}

/**
 * Ports on a real Redis server on which the time of one namespace stands still until `clock.advance`: delays, retries,
 * leases, windows, records and limits move together, at exact instants, running the scripts of production. For tests only:
 * every connection to the namespace must be made by this function, on the same clock. Not on a Redis Cluster.
 * Throws InvalidOptionError.
 */
export function connectVirtualRedis({ clock = new ManualClock(), ...options }: VirtualRedisOptions): VirtualRedis {
  const namespace = options.namespace ?? `test-${randomBytes(8).toString('hex')}`;
  const calls = CallsUnderWay.of(clock);
  const { moveTo, removeAll, ...redis } = connectRedisVirtually(
    { ...options, namespace },
    {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      rest: (ms, signal) => calls.rest(ms, signal),
    },
  );
  const topics = new Set<string>();
  const store: ClockedStore = {
    settle: () => calls.settle(),
    moveTo: async (now) => void (await moveTo(now)),
    isLeased: async () => (await moveTo()) > 0,
  };
  const ports = calls.watch(redis);
  const detach = clock.attach(store);
  return {
    ...ports,
    broker: withHooks(ports.broker, { declareTopic: ({ topic }) => void topics.add(topic), close: detach }),
    clock,
    namespace,
    topicNames: () => [...topics],
    removeAll,
  };
}

interface Hooks {
  declareTopic(spec: { topic: string }): void;
  close(): void;
}

/** The same port; the hooks are told of calls before they are made. */
function withHooks(port: Broker, hooks: Hooks): Broker {
  return new Proxy(port, {
    get(target, name) {
      if (name === 'declareTopic')
        return (spec: TopicSpec): unknown => {
          hooks.declareTopic(spec);
          return target.declareTopic(spec);
        };
      if (name === 'close')
        return (): unknown => {
          hooks.close();
          return target.close();
        };
      return Reflect.get(target, name) as unknown;
    },
  });
}
