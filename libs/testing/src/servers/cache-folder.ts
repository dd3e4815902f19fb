// Where fetched server binaries stay between runs, and how they get there without two processes mixing their files.
import { accessSync, constants, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** `$XDG_CACHE_HOME/millrace`, else `~/.cache/millrace`, else a folder of this user in the temp folder. */
export function cacheFolder(): string {
  for (const base of [process.env.XDG_CACHE_HOME, join(home(), '.cache')]) {
    if (!base?.startsWith('/')) continue;
    const folder = join(base, 'millrace');
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
      return folder;
    } catch {
      // Not ours to write (HOME of a service account, a read-only mount): try the next place.
    }
  }
  return ownTempFolder();
}

/**
 * Makes `work` appear as `target` in one step. When another process was first, its folder wins and `work` goes.
 * Both must lie on the same file system; a folder below {@link cacheFolder} does.
 */
export async function publishFolder(work: string, target: string): Promise<void> {
  try {
    await rename(work, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    await rm(work, { recursive: true, force: true });
  }
}

function home(): string {
  try {
    return homedir();
  } catch {
    return ''; // a user id without an entry in the password file, as in some containers
  }
}

function ownTempFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `millrace-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The name can be guessed and the temp folder is open to all: never run binaries another user has put there.
  return statSync(folder).uid === uid ? folder : mkdtempSync(`${folder}-`);
}
