// The sockets of one Millrace connection: one for commands, one for each blocking reader. Never shared: a blocked read
// holds up everything else on its socket. The README says how many a process opens.
// Whatever belongs to one node (blocked reads, WAIT, CLIENT) names it by a key: any key of the shard, as the hash tag
// decides. On a single server every key names that server.
import { randomBytes } from 'node:crypto';
import { InvalidOptionError } from '@millrace/core';
import { Redis, type RedisCommander, type RedisOptions } from 'ioredis';
import { defineScripts } from './scripts.js';

/** A URL, ioredis options, or a factory that makes a new client each time. Clients made for Millrace are closed by it. */
export type RedisConnection = string | RedisOptions | (() => Redis);

/** Runs commands that return at once; in a Cluster each goes to the node that holds its keys, which must be of one slot. */
export type RoutedClient = RedisCommander;

/** A server that is silent for this long with calls under way is gone; the socket is rebuilt and calls are sent again. */
const SILENCE_MS = 15_000;

const OURS = {
  lazyConnect: true,
  // Replies keep their RESP2 shape on ioredis 5 and 6 alike.
  protocol: 2,
  enableAutoPipelining: false,
  // Calls wait for the reconnect; their own deadline ends them. Resending is safe: every script is idempotent.
  maxRetriesPerRequest: null,
  autoResendUnfulfilledCommands: true,
  keepAlive: 10_000,
  socketTimeout: SILENCE_MS,
  retryStrategy: (times: number): number => Math.min(25 * 2 ** Math.min(times, 7), 2_000),
  // A demoted primary that keeps its socket answers READONLY: reconnect and send again.
  reconnectOnError: (error: Error): false | 2 => (error.message.startsWith('READONLY') ? 2 : false),
} as const;

export class Connections {
  private readonly open = new Set<Redis>();
  private commandClient: Redis | undefined;
  /** Grows when a socket closes: a call that spans two values may have been executed without its reply arriving. */
  breaks = 0;
  lastError: unknown;
  closed = false;
  private readonly breakListeners = new Set<() => void>();

  constructor(private readonly connection: RedisConnection) {
    checkConnection(connection);
  }

  get connected(): boolean {
    return this.commandClient?.status === 'ready';
  }

  /** For scripts and commands that return at once. Commands without a key belong to `beside`. */
  command(): RoutedClient {
    return (this.commandClient ??= this.make('commands'));
  }

  /** A client of its own on the node that holds the key, for one blocking reader. */
  blocking(routingKey: string): Promise<Redis> {
    return this.dedicated(routingKey, 'reader');
  }

  /**
   * A client of its own on the node that holds the key: for calls that block, or that must share a connection (WAIT
   * covers the writes of its own connection only). The caller ends it with `drop`, and asks for another when the node
   * says that the key is elsewhere (`isElsewhere`). `role` is shown in its name on the server.
   */
  // oxlint-disable-next-line typescript/require-await -- a Cluster must first be asked who holds the key
  async dedicated(_routingKey: string, role: string): Promise<Redis> {
    return this.make(role);
  }

  /** A client for commands that return at once (CLIENT LIST, CLIENT UNBLOCK, INFO) on the same node as `client`. */
  beside(_client: Redis): RoutedClient {
    return this.command();
  }

  /** Called whenever a socket closes: whoever reads must then look for deliveries whose reply was lost. */
  onBreak(listener: () => void): void {
    this.breakListeners.add(listener);
  }

  /** Closes one client at once, also while it is blocked. */
  async drop(client: Redis): Promise<void> {
    await end(client, 'disconnect');
    this.open.delete(client);
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.open].map((client) => end(client, 'quit')));
    this.open.clear();
  }

  private make(role: string): Redis {
    const client = this.create();
    // Unique, so that a blocked client can be found on the server without asking itself.
    client.options.connectionName = `millrace:${role}:${randomBytes(6).toString('base64url')}`;
    defineScripts(client);
    this.open.add(client);
    // Without a listener ioredis prints; the error is kept for health, the calls fail or wait by themselves.
    client.on('error', (error: unknown) => (this.lastError = error));
    client.on('close', () => {
      if (this.closed) return;
      this.breaks++;
      for (const listener of this.breakListeners) listener();
    });
    return client;
  }

  private create(): Redis {
    if (typeof this.connection === 'string') return new Redis(this.connection, OURS);
    if (typeof this.connection !== 'function') return new Redis({ ...this.connection, ...OURS });
    // A copy with our options: the protocol of a client cannot be changed once it is made.
    const made = this.connection();
    refuseKeyPrefix(made.options);
    made.on('error', () => undefined).disconnect();
    return made.duplicate(OURS);
  }
}

function checkConnection(connection: unknown): void {
  const option = 'connection';
  if (typeof connection === 'function') return;
  if (typeof connection === 'string') {
    if (/^(rediss?|unix):\/\//.test(connection) || connection.startsWith('/')) return;
    // What was given is not shown: a mistyped URL may hold a password.
    throw new InvalidOptionError(option, 'a string', "must be a URL such as 'redis://127.0.0.1:6379'");
  }
  if (typeof connection !== 'object' || connection === null)
    throw new InvalidOptionError(
      option,
      connection,
      'must be a Redis URL, ioredis options or a function that makes a client',
    );
  refuseKeyPrefix(connection);
}

/** A prefix is put before declared keys only, not before those that scripts work out. */
function refuseKeyPrefix({ keyPrefix }: RedisOptions): void {
  if (keyPrefix) throw new InvalidOptionError('connection.keyPrefix', keyPrefix, 'is not supported; use namespace');
}

/** Longest wait for a server to close its side; then the socket is left to the operating system. */
const CLOSE_WITHIN_MS = 1_000;

/** Resolves when the socket is closed: whoever awaits it leaves nothing open behind. */
async function end(client: Redis, how: 'quit' | 'disconnect'): Promise<void> {
  if (isEnded(client)) return;
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  const cut = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
  // Lets what was written leave, unless nothing can be written any more.
  if (how === 'quit' && client.status === 'ready') client.quit().catch(() => client.disconnect());
  else client.disconnect();
  await Promise.race([ended, cut]);
  if (!isEnded(client)) client.disconnect();
}

const isEnded = ({ status }: Redis): boolean => status === 'end';
