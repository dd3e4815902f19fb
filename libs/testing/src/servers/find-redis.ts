import { cacheFolder } from './cache-folder.js';
import { cachedRedis, fetchRedis, type ServerBinary } from './debian-redis.js';
import { canUnpackDebianPackages } from './debian-packages.js';
import { isExecutable, onPath } from './find-binary.js';
import { ServerUnavailableError } from './server-errors.js';

const WAYS = [
  'set REDIS_URL to a running server (tests and demo then start none)',
  'install redis-server or valkey-server on the PATH, or set REDIS_SERVER_BIN to the file',
  "run on Debian or Ubuntu with its package archive in reach: apt-get's redis-tools is then unpacked into the user cache",
];

/** Order: `REDIS_SERVER_BIN`, the PATH, the cache, Debian's package unpacked (never installed) into the cache. */
export async function findRedis(cache: string = cacheFolder()): Promise<ServerBinary> {
  const named = process.env.REDIS_SERVER_BIN;
  if (named && !isExecutable(named)) {
    throw new ServerUnavailableError('Redis server', WAYS, new Error(`REDIS_SERVER_BIN=${named} is not executable`));
  }
  const bin = named ?? onPath('redis-server') ?? onPath('valkey-server');
  if (bin) return { bin, env: process.env };
  const cached = await cachedRedis(cache);
  if (cached) return cached;
  if (!canUnpackDebianPackages()) throw new ServerUnavailableError('Redis server', WAYS);
  try {
    return await fetchRedis(cache);
  } catch (error) {
    throw new ServerUnavailableError('Redis server', WAYS, error);
  }
}
