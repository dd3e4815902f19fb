// Removes everything a build or a coverage run leaves behind.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const libs = readdirSync(join(root, 'libs')).map((lib) => join('libs', lib, 'dist'));
for (const folder of ['dist', 'coverage', ...libs].map((name) => join(root, name))) {
  if (existsSync(folder)) rmSync(folder, { recursive: true });
}
