export { cacheFolder } from './cache-folder.js';
export { freePort } from './free-port.js';
export { type PostgresServer, type PostgresServerOptions, startPostgres } from './postgres-server.js';
export { type RedisServer, type RedisServerOptions, startRedis } from './redis-server.js';
export { ServerStartError, ServerUnavailableError } from './server-errors.js';
