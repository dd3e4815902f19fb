// What a server says of itself: version, role, persistence, memory policy, clock. CONFIG is forbidden on many managed
// servers; what only it can tell is then not known.
import type { Redis } from 'ioredis';

export interface ServerFacts {
  readonly flavour: 'Redis' | 'Valkey';
  /** Major, minor, patch. */
  readonly version: readonly [major: number, minor: number, patch: number];
  readonly isReplica: boolean;
  readonly isCluster: boolean;
  /** Undefined when the server does not tell. */
  readonly maxmemoryPolicy: string | undefined;
  readonly aof: boolean;
  /** Undefined when CONFIG is forbidden. */
  readonly appendfsync: string | undefined;
  /** Whether snapshots are taken. Undefined when CONFIG is forbidden. */
  readonly rdb: boolean | undefined;
  readonly hasWaitAof: boolean;
  /** The server's clock less ours, in ms. */
  readonly clockDifferenceMs: number;
}

/** Asks on this client; throws what the server or the connection says when it cannot be asked at all. */
export async function readServerFacts(client: Redis): Promise<ServerFacts> {
  const clockDifferenceMs = await readClockDifference(client);
  const [info, config, hasWaitAof] = await Promise.all([
    client.info().then(fieldsOf),
    readConfig(client),
    client.call('COMMAND', 'INFO', 'waitaof').then(
      (reply) => Boolean((reply as unknown[])[0]),
      () => false,
    ),
  ]);
  const save = config.get('save');
  return {
    flavour: info.has('valkey_version') ? 'Valkey' : 'Redis',
    version: versionOf(info.get('valkey_version') ?? info.get('redis_version')),
    isReplica: info.get('role') === 'slave',
    isCluster: info.get('cluster_enabled') === '1',
    maxmemoryPolicy: info.get('maxmemory_policy'),
    aof: info.get('aof_enabled') === '1',
    appendfsync: config.get('appendfsync'),
    rdb: save === undefined ? undefined : save !== '',
    hasWaitAof,
    clockDifferenceMs,
  };
}

/** What `CONFIG GET` says now of persistence; empty when it is forbidden. */
export async function readConfig(client: Redis): Promise<ReadonlyMap<string, string>> {
  try {
    const reply = await client.config('GET', 'appendonly', 'appendfsync', 'save');
    return new Map(Array.from({ length: reply.length / 2 }, (_, pair) => [reply[2 * pair]!, reply[2 * pair + 1]!]));
  } catch (error) {
    if ((error as Error).name === 'ReplyError') return new Map();
    throw error;
  }
}

/** By the shortest of a few round trips; the error is at most half of that one. */
async function readClockDifference(client: Redis): Promise<number> {
  let [best, shortest] = [0, Infinity];
  for (let turn = 0; turn < 3; turn++) {
    const asked = performance.now();
    const [seconds, micros] = (await client.time()).map(Number) as [number, number];
    const tripMs = performance.now() - asked;
    if (tripMs < shortest) [best, shortest] = [seconds * 1000 + micros / 1000 - (Date.now() - tripMs / 2), tripMs];
  }
  return best;
}

const fieldsOf = (info: string): ReadonlyMap<string, string> =>
  new Map([...info.matchAll(/^([a-z_0-9]+):(.*?)\r?$/gm)].map(([, name, value]) => [name!, value!]));

function versionOf(text = '0'): [number, number, number] {
  const [major = 0, minor = 0, patch = 0] = text.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return [major, minor, patch];
}
