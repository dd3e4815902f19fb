export { cacheFolder } from './cache-folder.js';
export { freePort } from './free-port.js';
export { type PostgresServer, type PostgresServerOptions, startPostgres } from './postgres-server.js';
export type { RedisClusterNode, RedisClusterOptions } from './cluster-nodes.js';
export { type RedisCluster, startRedisCluster } from './redis-cluster.js';
export { type SentinelOptions, type SentinelSet, startSentinel } from './redis-sentinel.js';
export { type RedisServer, type RedisServerOptions, startRedis, startValkey } from './redis-server.js';
export { ServerStartError, ServerUnavailableError } from './server-errors.js';
export type { SlotMigration } from './slot-migration.js';
