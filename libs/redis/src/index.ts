// Millrace on Redis: the ports of @millrace/core over Redis Streams.
export { aclRules } from './acl-rules.js';
export type { ClusterConnection, RedisConnection } from './connection-options.js';
export { connectRedis, REDIS_DEFAULTS, type RedisHealth, type RedisOptions, type RedisPorts } from './connect-redis.js';
export { connectRedisVirtually, type VirtualRedisPorts } from './virtual/connect-virtually.js';
export type { VirtualTime } from './virtual/virtual-time.js';
export { KEY_SCHEMA_VERSION, OperationKeys } from './keys.js';
