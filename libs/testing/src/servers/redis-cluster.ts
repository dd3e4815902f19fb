// A Redis Cluster of local processes: loopback only, nothing kept. Slots are spread evenly over the masters.
import {
  everyNode,
  formCluster,
  startNodes,
  type RedisClusterNode,
  type RedisClusterOptions,
} from './cluster-nodes.js';
import { settled, talkTo } from './node-client.js';
import { migrateSlot, type SlotMigration } from './slot-migration.js';

export interface RedisCluster {
  /** Masters first, then their replicas in the same order, as they were at the start. */
  readonly nodes: readonly RedisClusterNode[];
  /** What ioredis and Millrace want to know. */
  readonly addresses: readonly { host: string; port: number }[];
  /** Who serves the key now, as the first node that answers says. */
  ownerOf(key: string): Promise<RedisClusterNode>;
  slotOf(key: string): Promise<number>;
  /** Moves a slot with its keys, one by one, as `redis-cli --cluster reshard` does (MIGRATE). */
  migrateSlot(slot: number, to: RedisClusterNode, options?: SlotMigration): Promise<number>;
  /** Lets a replica take its master's place in good order; resolves once all living nodes know. */
  failover(replica: RedisClusterNode): Promise<void>;
  /** Resolves once another node serves the key than `former`: after `former.kill()` or `pause()`. */
  takenOver(key: string, former: RedisClusterNode): Promise<RedisClusterNode>;
  stop(): Promise<void>;
}

/**
 * Starts a cluster and resolves once every node serves (about 3 s). It ends with this process at the latest.
 * @throws ServerUnavailableError when no server binary can be had
 */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 0 } = options;
  const nodes = await startNodes(masters * (1 + replicas), options);
  const cluster = handle(nodes);
  try {
    await formCluster(nodes, masters);
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

function handle(nodes: readonly RedisClusterNode[]): RedisCluster {
  const alive = (): RedisClusterNode[] => nodes.filter(isRunning);
  /** Of the nodes that run, the first that answers: one may be frozen. */
  const slotOf = (key: string): Promise<number> =>
    Promise.any(alive().map(({ port }) => talkTo(port, (client) => client.call('CLUSTER', 'KEYSLOT', key)))).then(
      Number,
    );
  const holder = async (from: RedisClusterNode, slot: number): Promise<RedisClusterNode | undefined> =>
    talkTo(from.port, async (client) => {
      const ranges = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
      const port = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][1];
      return nodes.find((node) => node.port === port);
    });
  /** As all nodes but the former holder see it, which may be dead or frozen. */
  const successor = async (slot: number, former: RedisClusterNode): Promise<RedisClusterNode> => {
    let found: RedisClusterNode | undefined;
    const others = alive().filter((node) => node !== former);
    await everyNode(others, `slot ${slot} has another holder`, async (node) => {
      found = await holder(node, slot);
      return found !== undefined && found !== former;
    });
    return found!;
  };
  return {
    nodes,
    addresses: nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    slotOf,
    ownerOf: async (key) => (await holder(alive()[0]!, await slotOf(key)))!,
    migrateSlot: async (slot, to, options) => migrateSlot(alive(), (await holder(to, slot))!, slot, to, options),
    async failover(replica) {
      await settled(`${replica.port} follows its master`, () =>
        talkTo(replica.port, async (client) => (await client.info('replication')).includes('master_link_status:up')),
      );
      await talkTo(replica.port, (client) => client.call('CLUSTER', 'FAILOVER'));
      await everyNode(alive(), `${replica.port} is a master`, async ({ port }) =>
        talkTo(port, async (client) => {
          const rows = (await client.cluster('NODES')) as string;
          return rows.split('\n').some((row) => row.startsWith(replica.id) && / (myself,)?master /.test(row));
        }),
      );
    },
    takenOver: async (key, former) => successor(await slotOf(key), former),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

function isRunning(node: RedisClusterNode): boolean {
  try {
    return node.pid > 0;
  } catch {
    return false;
  }
}
