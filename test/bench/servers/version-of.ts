import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The first number that looks like a version in what `bin --version` says. */
export async function versionOf(bin: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)(bin, ['--version'], { env });
  return /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? 'of unknown version';
}
