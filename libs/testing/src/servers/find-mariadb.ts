// Where mariadbd and the SQL of its system tables are: named by the user, on the PATH, or unpacked into the cache.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder, publishFolder } from './cache-folder.js';
import { canUnpackDebianPackages, DebianPackages } from './debian-packages.js';
import { isExecutable, onPath } from './find-binary.js';
import { runCommand } from './run-command.js';
import { ServerUnavailableError } from './server-errors.js';
import { libraryEnvironment, packageRoot, unpackLibraries } from './unpacked-package.js';

/** The package holds the server and its SQL files, but no tools and no start scripts. */
const DEBIAN = 'mariadb-server-core';
const PROGRAM = 'usr/sbin/mariadbd';
const WAYS = [
  'set MARIADB_URL to a running database (tests then start none)',
  'install MariaDB so that mariadbd is on the PATH, or set MARIADB_SERVER_BIN to the file',
  "run on Debian or Ubuntu with its package archive in reach: apt-get's mariadb-server-core is then unpacked into the user cache",
];

export interface MariaDbProgram {
  readonly bin: string;
  readonly env: NodeJS.ProcessEnv;
  /** Folder of error messages and of the SQL that makes the system tables. */
  readonly share: string;
}

/** Order: `MARIADB_SERVER_BIN`, the PATH, the cache, Debian's package unpacked (never installed) into the cache. */
export async function findMariaDb(cache: string = cacheFolder()): Promise<MariaDbProgram> {
  const named = process.env.MARIADB_SERVER_BIN;
  if (named && !isExecutable(named)) throw unavailable(new Error(`MARIADB_SERVER_BIN=${named} is not executable`));
  const bin = named ?? onPath('mariadbd') ?? ['/usr/sbin/mariadbd'].find(isExecutable);
  if (bin) return { bin, env: process.env, share: shareOf(bin) };
  const cached = await cachedProgram(cache);
  if (cached) return cached;
  if (!canUnpackDebianPackages()) throw unavailable();
  try {
    await fetchProgram(cache);
  } catch (error) {
    throw unavailable(error);
  }
  const fetched = await cachedProgram(cache);
  if (!fetched) throw unavailable(new Error(`the unpacked package is missing in ${cache}`));
  return fetched;
}

async function cachedProgram(cache: string): Promise<MariaDbProgram | undefined> {
  const root = packageRoot('mariadb', cache);
  const bin = join(root, PROGRAM);
  return isExecutable(bin) ? { bin, env: await libraryEnvironment(root), share: shareOf(bin) } : undefined;
}

/** Processes doing so at the same time do not disturb each other. */
async function fetchProgram(cache: string): Promise<void> {
  const work = await mkdtemp(join(cache, 'apt-'));
  try {
    const root = join(work, 'root');
    const packages = new DebianPackages(work, root);
    await packages.prepare();
    await packages.unpack([DEBIAN]);
    await unpackLibraries(packages, [DEBIAN], [join(root, PROGRAM)], root);
    await runCommand(join(root, PROGRAM), ['--no-defaults', '--version'], { env: await libraryEnvironment(root) });
    await publishFolder(root, packageRoot('mariadb', cache));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Debian calls it share/mysql, MariaDB's own packages share/mysql or share/mariadb. */
function shareOf(bin: string): string {
  const prefix = dirname(dirname(bin));
  const folders = ['mysql', 'mariadb'].map((name) => join(prefix, 'share', name));
  const share = folders.find((folder) => existsSync(join(folder, 'mysql_system_tables.sql')));
  if (share) return share;
  throw unavailable(new Error(`no mysql_system_tables.sql in ${folders.join(' or ')}`));
}

function unavailable(cause?: unknown): ServerUnavailableError {
  return new ServerUnavailableError('MariaDB server', WAYS, cause);
}
