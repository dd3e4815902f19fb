import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the lock file above this one, for sources and compiled files alike. */
export function repositoryRoot(from: string = import.meta.dirname): string {
  if (existsSync(join(from, 'package-lock.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('this is not run inside of the repository');
  return repositoryRoot(parent);
}
