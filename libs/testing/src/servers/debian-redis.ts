// Redis from Debian's own package, unpacked into the user's cache once and reused from there.
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

/** The cached binary for this system, if it was fetched before. */
export async function cachedRedis(cache: string): Promise<ServerBinary | undefined> {
  const root = cachedRoot(cache);
  const bin = join(root, 'bin', 'redis-server');
  return isExecutable(bin) ? { bin, env: await libraryEnvironment(root) } : undefined;
}

/** Fetches the package and the libraries this system lacks. Processes doing so at the same time do not disturb each other. */
export async function fetchRedis(cache: string): Promise<ServerBinary> {
  const work = await mkdtemp(join(cache, 'apt-'));
  try {
    const root = join(work, 'root');
    const packages = new DebianPackages(work, root);
    await packages.prepare();
    // The server is in redis-tools: redis-server is only a link to its redis-check-rdb, which decides by its own name.
    await packages.unpack(['redis-tools']);
    await mkdir(join(root, 'bin'));
    for (const name of ['redis-server', 'redis-sentinel']) {
      await cp(join(root, 'usr/bin/redis-check-rdb'), join(root, 'bin', name));
    }
    await cp(join(root, 'usr/bin/redis-cli'), join(root, 'bin', 'redis-cli'));
    const seen = new Set<string>();
    let wave = await packages.libraries('redis-tools');
    while (wave.length > 0 && (await lacksLibraries(root))) {
      await packages.unpack(wave);
      for (const name of wave) seen.add(name);
      const next = await Promise.all(wave.map((name) => packages.libraries(name)));
      wave = [...new Set(next.flat())].filter((name) => !seen.has(name));
    }
    await runCommand(join(root, 'bin/redis-server'), ['--version'], { env: await libraryEnvironment(root) });
    await publishFolder(root, cachedRoot(cache));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const binary = await cachedRedis(cache);
  if (!binary) throw new Error(`the unpacked Redis is missing in ${cache}`);
  return binary;
}

// A home folder can be shared by systems with different libraries.
function cachedRoot(cache: string): string {
  let system: string = process.platform;
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    const field = (name: string): string => new RegExp(`^${name}="?([\\w.-]+)`, 'm').exec(release)?.[1] ?? '';
    system = `${field('ID')}${field('VERSION_ID')}`;
  } catch {
    // no such file: the platform's name has to do
  }
  return join(cache, `redis-${system}-${process.arch}`);
}

async function lacksLibraries(root: string): Promise<boolean> {
  const text = await runCommand('ldd', [join(root, 'bin/redis-server')], { env: await libraryEnvironment(root) });
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
