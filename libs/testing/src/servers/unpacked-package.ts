// A program of a Debian package in a folder of its own: where that folder is, and the libraries the system lacks.
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DebianPackages } from './debian-packages.js';
import { runCommand } from './run-command.js';

/** In the cache. A home folder can be shared by systems with different libraries. */
export function packageRoot(name: string, cache: string): string {
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

/** Unpacks what the package depends on, one level after the other, until the program finds all its libraries. */
export async function unpackLibraries(
  packages: DebianPackages,
  debian: string,
  bin: string,
  root: string,
): Promise<void> {
  const seen = new Set<string>();
  let wave = await packages.libraries(debian);
  while (wave.length > 0 && (await lacksLibraries(bin, root))) {
    await packages.unpack(wave);
    for (const name of wave) seen.add(name);
    const next = await Promise.all(wave.map((name) => packages.libraries(name)));
    wave = [...new Set(next.flat())].filter((name) => !seen.has(name));
  }
}

async function lacksLibraries(bin: string, root: string): Promise<boolean> {
  const text = await runCommand('ldd', [bin], { env: await libraryEnvironment(root) });
  return text.includes('not found');
}

/** Where the program finds the libraries unpacked beside it. */
export async function libraryEnvironment(root: string): Promise<NodeJS.ProcessEnv> {
  const folders: string[] = [];
  for (const parent of [join(root, 'lib'), join(root, 'usr/lib')]) {
    const names = await readdir(parent).catch(() => []);
    folders.push(...names.filter((name) => name.endsWith('-linux-gnu')).map((name) => join(parent, name)));
  }
  return folders.length > 0 ? { ...process.env, LD_LIBRARY_PATH: folders.join(':') } : process.env;
}
