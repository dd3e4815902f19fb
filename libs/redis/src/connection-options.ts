// What may be given as `connection`, and the ioredis options that are ours whatever was given.
import { InvalidOptionError } from '@millrace/core';
import type { Cluster, ClusterNode, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import { leaveReplicas } from './leave-replicas.js';

/** A Redis Cluster: some of its nodes (the others are found), and ioredis ClusterOptions. */
export interface ClusterConnection extends ClusterOptions {
  nodes: readonly ClusterNode[];
}

/**
 * A URL, ioredis options (with `sentinels` and `name` for Sentinel), the nodes of a Cluster, or a factory that makes a
 * client each time. Clients made for Millrace are closed by it.
 */
export type RedisConnection = string | RedisOptions | ClusterConnection | (() => Redis | Cluster);

/** What a connection needs to know besides where the server is. */
export interface ConnectionSettings {
  /** A server that is silent for this long with calls under way is gone; the socket is rebuilt and calls are sent again. */
  readonly silenceMs: number;
}

const backOff = (times: number): number => Math.min(25 * 2 ** Math.min(times, 7), 2_000);

/** Of every socket. */
const SOCKET = {
  // Replies keep their RESP2 shape on ioredis 5 and 6 alike.
  protocol: 2,
  enableAutoPipelining: false,
  // Calls wait for the reconnect; their own deadline ends them. Resending is safe: every script is idempotent.
  maxRetriesPerRequest: null,
  autoResendUnfulfilledCommands: true,
  keepAlive: 10_000,
  // A server that loads its data is asked again after this long, whatever it guesses.
  maxLoadingRetryTime: 1_000,
} as const;

/** Of a client on a single server, or on what a Sentinel names. */
export function serverOptions({ silenceMs }: ConnectionSettings, connectionName: string) {
  return {
    ...SOCKET,
    socketTimeout: silenceMs,
    lazyConnect: true,
    retryStrategy: backOff,
    reconnectOnError: leaveReplicas(),
    connectionName,
  } as const;
}

/** Of a client on one node of a Cluster, beside those of the Cluster: when it ends, the owner of its key is asked for again. */
export const NODE_OPTIONS = { ...SOCKET, lazyConnect: true, readOnly: false, retryStrategy: null } as const;

/** The topology is looked at again this often (and whenever a node redirects or goes), so that a silent node is left. */
const REFRESH_MS = 10_000;
const REFRESH_JITTER_MS = 2_000;

export function clusterOptions(
  given: ClusterOptions,
  { silenceMs }: ConnectionSettings,
  connectionName: string,
): ClusterOptions {
  return {
    slotsRefreshTimeout: 2_000,
    slotsRefreshInterval: REFRESH_MS + Math.round(Math.random() * REFRESH_JITTER_MS),
    ...given,
    lazyConnect: true,
    enableAutoPipelining: false,
    enableOfflineQueue: true,
    // A replica is behind, and does not know the state of groups.
    scaleReads: 'master',
    clusterRetryStrategy: backOff,
    // Few redirections inside one try: our own tries go on to the deadline, and can tell what was certainly not done.
    maxRedirections: 5,
    retryDelayOnTryAgain: 200,
    retryDelayOnClusterDown: 200,
    retryDelayOnFailover: 100,
    redisOptions: { ...given.redisOptions, ...SOCKET, socketTimeout: silenceMs, connectionName },
  };
}

export const isCluster = (client: Redis | Cluster): client is Cluster => client.isCluster;

export function isClusterConnection(connection: RedisConnection): connection is ClusterConnection {
  return typeof connection === 'object' && 'nodes' in connection;
}

/** Throws InvalidOptionError. What a factory makes is looked at when it is made. */
export function checkConnection(connection: unknown): void {
  if (typeof connection === 'function') return;
  if (typeof connection === 'string') {
    if (/^(rediss?|unix):\/\//.test(connection) || connection.startsWith('/')) return;
    // What was given is not shown: a mistyped URL may hold a password.
    throw new InvalidOptionError('connection', 'a string', "must be a URL such as 'redis://127.0.0.1:6379'");
  }
  if (typeof connection !== 'object' || connection === null)
    throw new InvalidOptionError(
      'connection',
      connection,
      'must be a Redis URL, ioredis options, the nodes of a Cluster or a function that makes a client',
    );
  if ('nodes' in connection && (!Array.isArray(connection.nodes) || connection.nodes.length === 0))
    throw new InvalidOptionError('connection.nodes', 'no list', 'must name at least one node of the Cluster');
  refuseKeyPrefix(connection);
}

/** A prefix is put before declared keys only, not before those that scripts work out. */
export function refuseKeyPrefix(options: { keyPrefix?: string; redisOptions?: { keyPrefix?: string } }): void {
  const prefix = options.keyPrefix || options.redisOptions?.keyPrefix;
  if (prefix) throw new InvalidOptionError('connection.keyPrefix', prefix, 'is not supported; use namespace');
}
