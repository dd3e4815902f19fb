// A master with replicas, watched by sentinels: local processes, loopback only, nothing kept.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedis } from './find-redis.js';
import { freePort } from './free-port.js';
import { settled, talkTo } from './node-client.js';
import { launchServer, type RedisServer } from './redis-server.js';
import { ServerProcess } from './server-process.js';
import type { ServerBinary } from './debian-server.js';

export interface SentinelOptions {
  /** @default 1 */
  replicas?: 1 | 2;
  /** A master that is silent for this long is thought to be gone. @default 1000 */
  downAfterMs?: number;
  /** Further arguments of the data servers. */
  args?: string[];
}

export interface SentinelSet {
  /** The first was the master at the start. */
  readonly servers: readonly RedisServer[];
  /** For ioredis: `{ sentinels, name }`. */
  readonly sentinels: readonly { host: string; port: number }[];
  readonly name: string;
  /** Who is the master, as the first sentinel says. */
  master(): Promise<RedisServer>;
  /**
   * Resolves once every sentinel names another master than `former`, and it serves as one. Before the last of them has
   * heard of it, a former master that comes back can be taken for the master, and what it acknowledges is thrown away.
   */
  takenOver(former: RedisServer): Promise<RedisServer>;
  /**
   * Resolves once every sentinel is connected with the master. One that is not yet may take it for down, and promote
   * whoever else is there: a former master that came back in the meantime, with whatever it knew when it died.
   */
  watched(): Promise<void>;
  /** Resolves once every other server follows the master and has all it has; before that a replica is no safety. */
  inSync(): Promise<void>;
  /** Asks the sentinels for a failover in good order. */
  failover(): Promise<RedisServer>;
  stop(): Promise<void>;
}

const NAME = 'millrace';
const SENTINELS = 3;
const QUORUM = 2;

/**
 * Starts one master, its replicas and three sentinels; resolves once all know of each other. It ends with this process.
 * @throws ServerUnavailableError when no server binary can be had
 */
export async function startSentinel(options: SentinelOptions = {}): Promise<SentinelSet> {
  const { replicas = 1, downAfterMs = 1_000, args = [] } = options;
  const binary = await findRedis();
  const servers: RedisServer[] = [];
  const sentinels: Sentinel[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(sentinels.map(({ process }) => process.stop()));
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    const settings = ['--repl-diskless-sync-delay', '0', ...args];
    servers.push(await launchServer('redis-server', binary, { args: settings }));
    const follow = ['--replicaof', '127.0.0.1', String(servers[0]!.port), '--replica-priority', '1'];
    for (let index = 0; index < replicas; index++)
      servers.push(await launchServer('redis-server', binary, { args: [...settings, ...follow] }));
    const master = servers[0]!;
    await settled('the replicas follow', () =>
      talkTo(master.port, async (client) =>
        (await client.info('replication')).includes(`connected_slaves:${replicas}`),
      ),
    );
    for (let index = 0; index < SENTINELS; index++) sentinels.push(await startOne(binary, master.port, downAfterMs));
    await Promise.all(sentinels.map((sentinel) => settled('the sentinels agree', () => knowsAll(sentinel, replicas))));
  } catch (error) {
    await stop();
    throw error;
  }
  return handle(servers, sentinels, stop);
}

interface Sentinel {
  readonly port: number;
  readonly process: ServerProcess;
}

async function startOne({ bin, env }: ServerBinary, masterPort: number, downAfterMs: number): Promise<Sentinel> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'millrace-sentinel-'));
  const file = join(dir, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${NAME} 5000`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const process = new ServerProcess({
    name: 'redis-sentinel',
    bin,
    args: [file, '--sentinel'],
    env,
    ready: /\+monitor master/,
    stopSignal: 'SIGTERM',
    killSignal: 'SIGKILL',
    temporaryFolder: dir,
  });
  await process.start();
  return { port, process };
}

/** What a sentinel knows of the master. In a failover it is the former one until the sentinel has ended or heard of it. */
async function view({ port }: Sentinel): Promise<(field: string) => string | undefined> {
  const row = await talkTo(port, async (client) => (await client.call('SENTINEL', 'MASTER', NAME)) as string[]);
  return (field) => row[row.indexOf(field) + 1];
}

/** A failover needs all of it: the replicas to choose from, and the other sentinels to vote. */
async function knowsAll(sentinel: Sentinel, replicas: number): Promise<boolean> {
  const field = await view(sentinel);
  return field('num-slaves') === String(replicas) && field('num-other-sentinels') === String(SENTINELS - 1);
}

function handle(
  servers: readonly RedisServer[],
  sentinels: readonly Sentinel[],
  stop: () => Promise<void>,
): SentinelSet {
  const masterOf = async (sentinel: Sentinel): Promise<RedisServer> => {
    const named = (await view(sentinel))('port');
    return servers.find(({ port }) => String(port) === named)!;
  };
  const master = (): Promise<RedisServer> => masterOf(sentinels[0]!);
  const takenOver = async (former: RedisServer): Promise<RedisServer> => {
    let found: RedisServer | undefined;
    await settled(`${former.port} is replaced`, async () => {
      const named = await Promise.all(sentinels.map(masterOf));
      [found] = named;
      if (!found || named.some((server) => server === former || server !== found)) return false;
      return (await talkTo(found.port, (client) => client.info('replication'))).includes('role:master');
    });
    return found!;
  };
  return {
    servers,
    sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
    name: NAME,
    master,
    takenOver,
    watched: () =>
      settled('all sentinels are connected with the master', async () => {
        const flags = await Promise.all(sentinels.map(async (sentinel) => (await view(sentinel))('flags')));
        return flags.every((words) => words === 'master');
      }),
    inSync: () =>
      settled('all replicas are in sync', async () => {
        const { port } = await master();
        const state = await talkTo(port, (client) => client.info('replication'));
        return [...state.matchAll(/state=online/g)].length === servers.length - 1;
      }),
    async failover() {
      const former = await master();
      await talkTo(sentinels[0]!.port, (client) => client.call('SENTINEL', 'FAILOVER', NAME));
      return takenOver(former);
    },
    stop,
  };
}
