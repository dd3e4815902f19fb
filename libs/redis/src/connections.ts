// The sockets of one Millrace connection: one for commands (one per node in a Cluster), one for each blocking reader.
// Never shared: a blocked read holds up everything else on its socket. docs/redis-servers.md says how many a process opens.
// Whatever belongs to one node (blocked reads, WAIT, CLIENT) names it by a key: any key of the shard, as the hash tag
// decides. On a single server every key names that server.
import { randomBytes } from 'node:crypto';
import { Cluster, Redis, type RedisCommander } from 'ioredis';
import { ClusterNodes } from './cluster-nodes.js';
import {
  checkConnection,
  clusterOptions,
  isCluster,
  isClusterConnection,
  refuseKeyPrefix,
  serverOptions,
  type ConnectionSettings,
  type RedisConnection,
} from './connection-options.js';
import { endClient } from './end-client.js';
import { Deadlines } from './deadlines.js';
import { defineScripts } from './scripts.js';
import type { VirtualClock } from './virtual/virtual-time.js';

/** Runs commands that return at once; in a Cluster each goes to the node that holds its keys, which must be of one slot. */
export type RoutedClient = RedisCommander;

export class Connections {
  private readonly open = new Set<Redis | Cluster>();
  private commandClient: Redis | Cluster | undefined;
  private nodes: ClusterNodes | undefined;
  /** Grows when a socket closes: a call that spans two values may have been executed without its reply arriving. */
  breaks = 0;
  lastError: unknown;
  closed = false;
  /** Of all reads that block; the calls of a `Caller` have their own. */
  readonly readDeadlines: Deadlines;
  private readonly breakListeners = new Set<() => void>();
  private onServerReady: (client: Redis) => void = () => undefined;

  constructor(
    private readonly connection: RedisConnection,
    readonly settings: ConnectionSettings,
    /** Tests only: time that a test moves. */
    readonly virtual?: VirtualClock,
  ) {
    checkConnection(connection);
    this.readDeadlines = Deadlines.ofReads(settings.silenceMs);
  }

  get connected(): boolean {
    return this.commandClient?.status === 'ready';
  }

  /** Ms that never go back, by which leases are measured here. */
  monotonic(): number {
    return this.virtual ? this.virtual.monotonic() : performance.now();
  }

  /** For scripts and commands that return at once. Commands without a key belong to `beside`. */
  command(): RoutedClient {
    return this.routed();
  }

  /** A client of its own on the node that holds the key, for one blocking reader. */
  blocking(routingKey: string): Promise<Redis> {
    return this.dedicated(routingKey, 'reader');
  }

  /**
   * A client of its own on the node that holds the key: for calls that block, or that must share a connection (WAIT
   * covers the writes of its own connection only). The caller ends it with `drop`, and asks for another when the node
   * says that the key is elsewhere (`isElsewhere`) or, in a Cluster, when the client has ended. `role` is shown in its
   * name on the server.
   */
  async dedicated(routingKey: string, role: string): Promise<Redis> {
    this.routed();
    const name = connectionName(role);
    return this.add(this.nodes ? await this.nodes.open(routingKey, name) : (this.create(name) as Redis));
  }

  /** What stands for the node of a key before anything is opened: connections that serve a node are shared by it. */
  placeOf(routingKey: string): string {
    return isCluster(this.routed()) ? routingKey : '';
  }

  /** A client for commands that return at once (CLIENT LIST, CLIENT UNBLOCK, INFO) on the same node as `client`. */
  beside(client: Redis): RoutedClient {
    return this.nodes?.beside(client) ?? this.command();
  }

  /** Called whenever a socket closes: whoever reads must then look for deliveries whose reply was lost. */
  onBreak(listener: () => void): void {
    this.breakListeners.add(listener);
  }

  /** Called with the first connection to each server that commands go to. */
  onServer(listener: (client: Redis) => void): void {
    this.onServerReady = listener;
  }

  get isCluster(): boolean {
    return this.nodes !== undefined;
  }

  /** Closes one client at once, also while it is blocked. */
  async drop(client: Redis): Promise<void> {
    await endClient(client, 'disconnect');
    this.open.delete(client);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.open].map((client) => endClient(client, 'quit')));
    this.open.clear();
  }

  private routed(): Redis | Cluster {
    if (this.commandClient) return this.commandClient;
    const client = this.create(connectionName('commands'));
    if (isCluster(client)) {
      this.nodes = new ClusterNodes(client, (node) => {
        this.watch(node);
        node.once('ready', () => this.onServerReady(node));
      });
      client.on('node error', (error: unknown) => (this.lastError = error));
    } else client.once('ready', () => this.onServerReady(client));
    return (this.commandClient = this.add(client));
  }

  private add<Client extends Redis | Cluster>(client: Client): Client {
    if (!isCluster(client)) this.watch(client);
    defineScripts(client, this.nodes !== undefined, this.virtual);
    this.open.add(client);
    client.once('end', () => this.open.delete(client));
    // Without a listener ioredis prints; the error is kept for health, the calls fail or wait by themselves.
    client.on('error', (error: unknown) => (this.lastError = error));
    return client;
  }

  private watch(client: Redis): void {
    client.on('close', () => {
      if (this.closed) return;
      this.breaks++;
      for (const listener of this.breakListeners) listener();
    });
  }

  private create(name: string): Redis | Cluster {
    const { connection, settings } = this;
    const server = serverOptions(settings, name);
    if (typeof connection === 'string') return new Redis(connection, server);
    if (isClusterConnection(connection)) {
      const { nodes, ...options } = connection;
      return new Cluster([...nodes], clusterOptions(options, settings, name));
    }
    if (typeof connection !== 'function') return new Redis({ ...connection, ...server });
    // A copy with our options: the protocol of a client cannot be changed once it is made.
    const made = connection();
    refuseKeyPrefix(made.options);
    made.on('error', () => undefined).disconnect();
    return isCluster(made) ? made.duplicate([], clusterOptions(made.options, settings, name)) : made.duplicate(server);
  }
}

/** Unique, so that a blocked client can be found on the server without asking itself. */
const connectionName = (role: string): string => `millrace:${role}:${randomBytes(6).toString('base64url')}`;
