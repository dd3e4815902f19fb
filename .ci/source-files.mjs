// The hand-written files the gates look at, with paths relative to the project.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
const SKIPPED = new Set(['node_modules', 'dist', 'coverage']);

export function* sourceFolders(folder) {
  yield folder;
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* sourceFolders(join(folder, entry.name));
  }
}

export function sourceFiles(...folders) {
  return folders
    .flatMap((folder) => [...sourceFolders(folder)])
    .flatMap((folder) =>
      readdirSync(join(root, folder), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(folder, entry.name)),
    );
}
