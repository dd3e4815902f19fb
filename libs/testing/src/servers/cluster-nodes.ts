// How single servers become a cluster: started, given their slots, introduced to each other, and waited for.
import { findRedis } from './find-redis.js';
import { freePort } from './free-port.js';
import { settled, talkTo } from './node-client.js';
import { launchServer, type RedisServer } from './redis-server.js';

const SLOTS = 16_384;

export interface RedisClusterOptions {
  /** @default 3, which is the least that can agree on a failover */
  masters?: number;
  /** Replicas of each master. @default 0 */
  replicas?: 0 | 1;
  /** A node that is silent for this long is thought to be gone. @default 1500 */
  nodeTimeoutMs?: number;
  /** Further arguments of every node. */
  args?: string[];
}

export interface RedisClusterNode extends RedisServer {
  /** Its name in the cluster; stays the same over `restart()`. */
  readonly id: string;
}

export async function startNodes(
  count: number,
  { nodeTimeoutMs = 1_500, args = [] }: RedisClusterOptions,
): Promise<RedisClusterNode[]> {
  const binary = await findRedis();
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)];
  // A replica takes over however long it was cut off, and copies its master at once.
  settings.push('--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0');
  settings.push('--cluster-allow-replica-migration', 'no', ...args);
  const started = await Promise.allSettled(
    Array.from({ length: count }, async () => {
      const server = await launchServer('redis-server', binary, {
        args: async () => [...settings, '--cluster-port', String(await freePort())],
      });
      const id = await talkTo(server.port, (client) => client.cluster('MYID'));
      return Object.create(server, { id: { value: id, enumerable: true } }) as RedisClusterNode;
    }),
  );
  const nodes = started.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  const failed = started.find((result) => result.status === 'rejected');
  if (!failed) return nodes;
  await Promise.all(nodes.map((node) => node.stop()));
  throw failed.reason;
}

/** The first `masters` nodes share the slots evenly; the others follow them in turn. */
export async function formCluster(nodes: readonly RedisClusterNode[], masters: number): Promise<void> {
  const share = SLOTS / masters;
  await Promise.all(
    nodes.map(({ port }, index) =>
      talkTo(port, async (client) => {
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
        if (index >= masters) return;
        const [from, to] = [Math.ceil(share * index), Math.ceil(share * (index + 1)) - 1];
        await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
      }),
    ),
  );
  await talkTo(nodes[0]!.port, async (client) => {
    for (const { port } of nodes.slice(1)) {
      await client.call('CLUSTER', 'MEET', '127.0.0.1', port, await busPort(port));
    }
  });
  const known = `cluster_known_nodes:${nodes.length}`;
  await everyNode(nodes, 'the nodes know each other', async ({ port }) =>
    talkTo(port, async (client) => (await info(client)).includes(known)),
  );
  await Promise.all(
    nodes
      .slice(masters)
      .map(({ port }, index) =>
        talkTo(port, (client) => client.call('CLUSTER', 'REPLICATE', nodes[index % masters]!.id)),
      ),
  );
  await everyNode(nodes, 'the nodes serve', async ({ port }, index) =>
    talkTo(port, async (client) => {
      if (!(await info(client)).includes('cluster_state:ok')) return false;
      const role = await client.info('replication');
      return index < masters
        ? role.includes(`connected_slaves:${nodes.length / masters - 1}`)
        : role.includes('master_link_status:up');
    }),
  );
}

const info = (client: { cluster(word: 'INFO'): Promise<unknown> }): Promise<string> =>
  client.cluster('INFO') as Promise<string>;

const busPort = (port: number): Promise<number> =>
  talkTo(port, async (client) => Number((await client.config('GET', 'cluster-port'))[1]));

/** Resolves once `look` says yes of every node. */
export async function everyNode(
  nodes: readonly RedisClusterNode[],
  what: string,
  look: (node: RedisClusterNode, index: number) => Promise<boolean>,
): Promise<void> {
  await Promise.all(nodes.map((node, index) => settled(`${what} (${node.port})`, () => look(node, index))));
}
