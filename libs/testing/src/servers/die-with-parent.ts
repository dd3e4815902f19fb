// A throw-away server must not outlive the process that started it. The kernel sees to it where `setpriv` of
// util-linux is present, even when the parent is killed; an exit hook covers the rest.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';

interface Leftover {
  pid?: number;
  /** Removed with the process. */
  folder?: string;
}

const leftovers = new Set<Leftover>();
let hooked = false;
let setpriv: boolean | undefined;

/** Kills the process and removes the folder when this process exits. Call the result once both are gone. */
export function cleanUpAtExit(leftover: Leftover): () => void {
  if (!hooked) process.once('exit', cleanUp);
  hooked = true;
  leftovers.add(leftover);
  return () => leftovers.delete(leftover);
}

/** The command line that runs `bin`, under the same pid, so that the kernel kills it with its parent. */
export function withParentDeathSignal(bin: string, args: string[]): [string, string[]] {
  setpriv ??= canSetParentDeathSignal();
  return setpriv ? ['setpriv', ['--pdeathsig', 'KILL', bin, ...args]] : [bin, args];
}

function canSetParentDeathSignal(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    execFileSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // BusyBox has a setpriv without this option
  }
}

function cleanUp(): void {
  for (const { pid, folder } of leftovers) {
    try {
      if (pid) process.kill(pid, 'SIGKILL');
    } catch {
      // already gone
    }
    if (folder) rmSync(folder, { recursive: true, force: true });
  }
}
