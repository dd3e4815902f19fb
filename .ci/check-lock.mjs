// The lock file must work on every platform and name no host.
// npm drops an optional platform package it cannot resolve without a word, and `npm ci` then refuses its own lock file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const file = process.argv[2] ?? join(import.meta.dirname, '..', 'package-lock.json');
const packages = JSON.parse(readFileSync(file, 'utf8')).packages;
const names = Object.keys(packages);
const problems = [];
for (const [path, entry] of Object.entries(packages)) {
  for (const [optional, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (!names.some((name) => name.endsWith(`node_modules/${optional}`))) {
      problems.push(`${path}@${entry.version}: ${optional}@${range} is not in the lock file`);
    }
  }
  // A workspace link has a relative "resolved"; any other one would tie the lock file to one registry.
  if (entry.resolved && !entry.link) problems.push(`${path}: "resolved" names a host: ${entry.resolved}`);
  if (path.includes('node_modules/') && !entry.link && !entry.integrity && !entry.inBundle) {
    problems.push(`${path}: no integrity hash`);
  }
}
for (const problem of problems) console.error(problem);
console.log(`lock: ${names.length} packages, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);
