// The nodes of a Cluster behind one routed client: who holds a key, and clients of our own on that node. Blocking calls
// never go through the routed client, where they would hold up everybody else's calls to the node.
import type { Cluster, Redis } from 'ioredis';
import { NODE_OPTIONS } from './connection-options.js';
import { hashSlot } from './hash-slot.js';

/** How long a caller waits for the Cluster to be found, or looked at again. */
const LOOK_WITHIN_MS = 3_000;

export class ClusterNodes {
  /** Clients of our own, with the slot for whose sake they are where they are. */
  private readonly own = new Map<Redis, number>();

  /** @param watch is told of every socket of the routed client as it is made */
  constructor(
    private readonly cluster: Cluster,
    watch: (node: Redis) => void,
  ) {
    cluster.on('+node', watch);
    // A reader may wait on a node that is silent, or has been replaced: it would not hear of it by itself.
    cluster.on('refresh', () => this.leaveFormerOwners());
  }

  /** A new client, not connected yet, on the node that holds the key as of now. Throws when no node does. */
  async open(key: string, connectionName: string): Promise<Redis> {
    await this.look();
    const slot = hashSlot(key);
    const node = this.owner(slot);
    // The words of the server for the same: worth another try.
    if (!node) throw new Error(`CLUSTERDOWN no node is known to hold slot ${slot}`);
    const client = node.duplicate({ ...NODE_OPTIONS, connectionName });
    this.own.set(client, slot);
    client.once('end', () => this.own.delete(client));
    return client;
  }

  /** The routed client's own connection to the node of `client`, while it has one. */
  beside(client: Redis): Redis | undefined {
    const address = addressOf(client);
    return this.cluster.nodes().find((node) => addressOf(node) === address);
  }

  private owner(slot: number): Redis | undefined {
    const address = this.cluster.slots[slot]?.[0];
    return this.cluster.nodes().find((node) => addressOf(node) === address);
  }

  private leaveFormerOwners(): void {
    for (const [client, slot] of this.own) {
      const owner = this.owner(slot);
      if (owner && addressOf(owner) !== addressOf(client)) client.disconnect();
    }
  }

  /** The topology as it is now; as it was last seen when it cannot be had in time. */
  private async look(): Promise<void> {
    const { cluster } = this;
    const looked = new Promise<void>((resolve) => {
      if (cluster.status === 'ready') cluster.refreshSlotsCache(() => resolve());
      else {
        cluster.once('ready', resolve);
        // The lazy client connects with its first use.
        if (cluster.status === 'wait') cluster.connect().catch(() => undefined);
      }
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOOK_WITHIN_MS);
    });
    await Promise.race([looked, late]).finally(() => clearTimeout(timer));
  }
}

const addressOf = ({ options }: Redis): string => `${options.host}:${options.port}`;
