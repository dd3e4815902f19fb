import { cacheFolder } from './cache-folder.js';
import { cachedServer, fetchServer, REDIS, VALKEY, type ServerBinary } from './debian-server.js';
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
  const cached = await cachedServer(REDIS, cache);
  if (cached) return cached;
  if (!canUnpackDebianPackages()) throw new ServerUnavailableError('Redis server', WAYS);
  try {
    return await fetchServer(REDIS, cache);
  } catch (error) {
    throw new ServerUnavailableError('Redis server', WAYS, error);
  }
}

const VALKEY_WAYS = [
  'install valkey-server on the PATH, or set VALKEY_SERVER_BIN to the file',
  'run on Debian 12 with its package archive in reach: valkey-tools of its backports is then unpacked into the user cache',
];

/** Order: `VALKEY_SERVER_BIN`, the PATH, the cache, Debian's backports unpacked (never installed) into the cache. */
export async function findValkey(cache: string = cacheFolder()): Promise<ServerBinary> {
  const named = process.env.VALKEY_SERVER_BIN;
  if (named && !isExecutable(named)) {
    const cause = new Error(`VALKEY_SERVER_BIN=${named} is not executable`);
    throw new ServerUnavailableError('Valkey server', VALKEY_WAYS, cause);
  }
  const bin = named ?? onPath('valkey-server');
  if (bin) return { bin, env: process.env };
  const cached = await cachedServer(VALKEY, cache);
  if (cached) return cached;
  if (!canUnpackDebianPackages()) throw new ServerUnavailableError('Valkey server', VALKEY_WAYS);
  try {
    return await fetchServer(VALKEY, cache);
  } catch (error) {
    throw new ServerUnavailableError('Valkey server', VALKEY_WAYS, error);
  }
}
