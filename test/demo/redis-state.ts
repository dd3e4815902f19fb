// What the broker still holds, read from its keys with plain Redis commands (docs/wire-format.md has the key schema):
// an auditor that asked Millrace would only hear what Millrace believes.
import type { Redis } from 'ioredis';

/** One group of one topic, over all its shards and queues. */
export interface GroupState {
  topic: string;
  group: string;
  /** Not delivered yet. */
  ready: number;
  /** Delivered and not settled. */
  leased: number;
  /** Waiting for the next attempt. */
  retrying: number;
  dead: number;
}

export interface RedisState {
  groups: GroupState[];
  /** Delayed messages that are not due. */
  scheduled: number;
}

interface StreamGroup {
  name: string;
  pending: number;
  'last-delivered-id': string;
  lag: number | null;
}

export async function readRedisState(redis: Redis, namespace: string): Promise<RedisState> {
  const groups = new Map<string, GroupState>();
  let scheduled = 0;
  const stateOf = (topic: string, group: string): GroupState => {
    const name = `${topic}/${group}`;
    const state = groups.get(name) ?? { topic, group, ready: 0, leased: 0, retrying: 0, dead: 0 };
    groups.set(name, state);
    return state;
  };
  for (const key of await keysOf(redis, namespace)) {
    const [, topic = '', rest = ''] = /^([^:]*):\d+\}:(.*)$/.exec(key.slice(namespace.length + 2)) ?? [];
    const [, group, part = ''] = /^g:([^:]*):(.*)$/.exec(rest) ?? [];
    if (rest.startsWith('dz:')) scheduled += await redis.zcard(key);
    else if (group !== undefined && part === 'rz') stateOf(topic, group).retrying += await redis.zcard(key);
    else if (group !== undefined && part === 'dlz') stateOf(topic, group).dead += await redis.zcard(key);
    else if (rest.startsWith('q:') || part.startsWith('rs:')) {
      for (const info of await streamGroups(redis, key)) {
        const state = stateOf(topic, info.name);
        state.leased += info.pending;
        state.ready += info.lag ?? (await redis.xrange(key, `(${info['last-delivered-id']}`, '+')).length;
      }
    }
  }
  return {
    groups: [...groups.values()].toSorted((a, b) => (a.topic + a.group).localeCompare(b.topic + b.group)),
    scheduled,
  };
}

async function keysOf(redis: Redis, namespace: string): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of redis.scanStream({ match: `{${namespace}:*`, count: 1000 })) {
    // Dedup records and reply slots are by far the most, and none of our business.
    found.push(...(batch as string[]).filter((key) => !/\}:(id|tok):/.test(key)));
  }
  return [...new Set(found)];
}

async function streamGroups(redis: Redis, key: string): Promise<StreamGroup[]> {
  const replies = (await redis.xinfo('GROUPS', key)) as unknown[][];
  return replies.map((flat) => {
    const pairs = Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], flat[2 * index + 1]]);
    return Object.fromEntries(pairs) as StreamGroup;
  });
}
