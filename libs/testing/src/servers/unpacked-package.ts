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

/** Unpacks what the packages depend on, one level after the other, until the programs find all their libraries. */
export async function unpackLibraries(
  packages: DebianPackages,
  debian: readonly string[],
  programs: readonly string[],
  root: string,
): Promise<void> {
  const seen = new Set<string>();
  let wave = await librariesOf(packages, debian);
  while (wave.length > 0 && (await lackLibraries(programs, root))) {
    await packages.unpack(wave);
    for (const name of wave) seen.add(name);
    wave = (await librariesOf(packages, wave)).filter((name) => !seen.has(name));
  }
}

async function librariesOf(packages: DebianPackages, names: readonly string[]): Promise<string[]> {
  const libraries = await Promise.all(names.map((name) => packages.libraries(name)));
  return [...new Set(libraries.flat())];
}

async function lackLibraries(programs: readonly string[], root: string): Promise<boolean> {
  const env = await libraryEnvironment(root);
  for (const program of programs) {
    // A program without any dynamic library makes ldd fail.
    const text = await runCommand('ldd', [program], { env }).catch(() => '');
    if (text.includes('not found')) return true;
  }
  return false;
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
