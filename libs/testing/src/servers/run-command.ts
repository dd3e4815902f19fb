import { execFile, type ExecFileOptions } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
/** Generous: the longest step is a package download. Without a limit a dead mirror would hang a build for good. */
const TIMEOUT_MS = 180_000;

/** Runs a program to its end and gives what it wrote to standard output; rejects with its error output. */
export async function runCommand(command: string, args: string[], options: ExecFileOptions = {}): Promise<string> {
  const { stdout } = await execute(command, args, {
    timeout: TIMEOUT_MS,
    maxBuffer: 1 << 24,
    ...options,
    encoding: 'utf8',
  });
  return stdout;
}
