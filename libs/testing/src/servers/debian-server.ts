// A Redis-compatible server from Debian's own packages, unpacked into the user's cache once and reused from there.
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { publishFolder } from './cache-folder.js';
import { DebianPackages } from './debian-packages.js';
import { isExecutable } from './find-binary.js';
import { runCommand } from './run-command.js';

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
  const root = cachedRoot(of, cache);
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
    const seen = new Set<string>();
    let wave = await packages.libraries(of.debian);
    while (wave.length > 0 && (await lacksLibraries(join(root, 'bin', of.server), root))) {
      await packages.unpack(wave);
      for (const name of wave) seen.add(name);
      const next = await Promise.all(wave.map((name) => packages.libraries(name)));
      wave = [...new Set(next.flat())].filter((name) => !seen.has(name));
    }
    await runCommand(join(root, 'bin', of.server), ['--version'], { env: await libraryEnvironment(root) });
    await publishFolder(root, cachedRoot(of, cache));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const binary = await cachedServer(of, cache);
  if (!binary) throw new Error(`the unpacked ${of.name} is missing in ${cache}`);
  return binary;
}

// A home folder can be shared by systems with different libraries.
function cachedRoot({ name }: ServerPackage, cache: string): string {
  let system: string = process.platform;
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    const field = (key: string): string => new RegExp(`^${key}="?([\\w.-]+)`, 'm').exec(release)?.[1] ?? '';
    system = `${field('ID')}${field('VERSION_ID')}`;
  } catch {
    // no such file: the platform's name has to do
  }
  return join(cache, `${name}-${system}-${process.arch}`);
}

async function lacksLibraries(bin: string, root: string): Promise<boolean> {
  const text = await runCommand('ldd', [bin], { env: await libraryEnvironment(root) });
  return text.includes('not found');
}

async function libraryEnvironment(root: string): Promise<NodeJS.ProcessEnv> {
  const folders: string[] = [];
  for (const parent of [join(root, 'lib'), join(root, 'usr/lib')]) {
    const names = await readdir(parent).catch(() => []);
    folders.push(...names.filter((name) => name.endsWith('-linux-gnu')).map((name) => join(parent, name)));
  }
  return folders.length > 0 ? { ...process.env, LD_LIBRARY_PATH: folders.join(':') } : process.env;
}
