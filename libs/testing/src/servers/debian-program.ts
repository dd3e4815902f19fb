// Any program of Debian's packages, unpacked (never installed) into the user's cache once and reused from there.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, publishFolder } from './cache-folder.js';
import { canUnpackDebianPackages, DebianPackages } from './debian-packages.js';
import { isExecutable } from './find-binary.js';
import { ServerUnavailableError } from './server-errors.js';
import { libraryEnvironment, packageRoot, unpackLibraries } from './unpacked-package.js';

export interface DebianProgram {
  /** First part of its folder in the cache. */
  readonly name: string;
  readonly debian: string;
  /** Which of the packages it depends on are unpacked as well, directly needed or not. @default none but missing libraries */
  readonly alsoUnpack?: RegExp;
  /** Path below the root of what is run; what is in the cache counts only with it. */
  readonly program: string;
  /** Completes the unpacked files; returns the full paths of those that need libraries. */
  complete?(root: string): Promise<readonly string[]>;
}

export interface UnpackedProgram {
  /** The folder that stands for `/` of the packages. */
  readonly root: string;
  readonly bin: string;
  /** Ours, with the libraries that were unpacked beside the program. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The program from the cache, else from the package archive of this system. With `download: false` only from the cache.
 * @throws ServerUnavailableError when it cannot be had
 */
export async function unpackedProgram(
  of: DebianProgram,
  { download = true, cache = cacheFolder() }: { download?: boolean; cache?: string } = {},
): Promise<UnpackedProgram> {
  const cached = await cachedProgram(of, cache);
  if (cached) return cached;
  const ways = [
    `run on Debian or Ubuntu with its package archive in reach: ${of.debian} is unpacked into the user cache`,
  ];
  if (!download)
    throw new ServerUnavailableError(of.name, ways, new Error('not in the cache, and nothing is downloaded'));
  if (!canUnpackDebianPackages()) throw new ServerUnavailableError(of.name, ways);
  try {
    await fetchProgram(of, cache);
  } catch (error) {
    throw new ServerUnavailableError(of.name, ways, error);
  }
  const fetched = await cachedProgram(of, cache);
  if (!fetched) throw new ServerUnavailableError(of.name, ways, new Error(`no ${of.program} in the packages`));
  return fetched;
}

async function cachedProgram(of: DebianProgram, cache: string): Promise<UnpackedProgram | undefined> {
  const root = packageRoot(of.name, cache);
  const bin = join(root, of.program);
  return isExecutable(bin) ? { root, bin, env: await libraryEnvironment(root) } : undefined;
}

/** Processes doing so at the same time do not disturb each other. */
async function fetchProgram(of: DebianProgram, cache: string): Promise<void> {
  const work = await mkdtemp(join(cache, 'apt-'));
  try {
    const root = join(work, 'root');
    const packages = new DebianPackages(work, root);
    await packages.prepare();
    await packages.unpack([of.debian]);
    const rest = of.alsoUnpack ? (await packages.closure([of.debian], of.alsoUnpack)).slice(1) : [];
    if (rest.length > 0) await packages.unpack(rest);
    const programs = (await of.complete?.(root)) ?? [join(root, of.program)];
    await unpackLibraries(packages, [of.debian, ...rest], programs, root);
    await publishFolder(root, packageRoot(of.name, cache));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
