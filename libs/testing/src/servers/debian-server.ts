// A Redis-compatible server from Debian's own packages, unpacked into the user's cache once and reused from there.
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { publishFolder } from './cache-folder.js';
import { DebianPackages } from './debian-packages.js';
import { isExecutable } from './find-binary.js';
import { runCommand } from './run-command.js';
import { libraryEnvironment, packageRoot, unpackLibraries } from './unpacked-package.js';

export interface ServerBinary {
  bin: string;
  env: NodeJS.ProcessEnv;
}

export interface ServerPackage {
  /** First part of its folder in the cache. */
  readonly name: string;
  readonly debian: string;
  /** The one program that is server, sentinel and checker by turns: it decides by its own name. */
  readonly program: string;
  readonly server: string;
  readonly sentinel: string;
  /** From the backports of this release instead of the release itself. */
  readonly backports?: boolean;
}

/** redis-server and redis-sentinel of the packages with these names are only links into redis-tools. */
export const REDIS: ServerPackage = {
  name: 'redis',
  debian: 'redis-tools',
  program: 'redis-check-rdb',
  server: 'redis-server',
  sentinel: 'redis-sentinel',
};

export const VALKEY: ServerPackage = {
  name: 'valkey',
  debian: 'valkey-tools',
  program: 'valkey-check-rdb',
  server: 'valkey-server',
  sentinel: 'valkey-sentinel',
  backports: true,
};

/** The cached binary for this system, if it was fetched before. */
export async function cachedServer(of: ServerPackage, cache: string): Promise<ServerBinary | undefined> {
  const root = packageRoot(of.name, cache);
  const bin = join(root, 'bin', of.server);
  return isExecutable(bin) ? { bin, env: await libraryEnvironment(root) } : undefined;
}

/** Fetches the package and the libraries this system lacks. Processes doing so at the same time do not disturb each other. */
export async function fetchServer(of: ServerPackage, cache: string): Promise<ServerBinary> {
  const work = await mkdtemp(join(cache, 'apt-'));
  try {
    const root = join(work, 'root');
    const packages = new DebianPackages(work, root);
    await packages.prepare();
    if (of.backports) await packages.useBackports();
    await packages.unpack([of.debian]);
    await mkdir(join(root, 'bin'));
    for (const name of [of.server, of.sentinel]) {
      await cp(join(root, 'usr/bin', of.program), join(root, 'bin', name));
    }
    await unpackLibraries(packages, [of.debian], [join(root, 'bin', of.server)], root);
    await runCommand(join(root, 'bin', of.server), ['--version'], { env: await libraryEnvironment(root) });
    await publishFolder(root, packageRoot(of.name, cache));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const binary = await cachedServer(of, cache);
  if (!binary) throw new Error(`the unpacked ${of.name} is missing in ${cache}`);
  return binary;
}
