// Writes the figures of a run into docs/benchmarks.md and its curves beside it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Part } from '../scenario.js';
import type { Comparison } from '../verdict.js';
import { pictures } from './charts.js';
import type { Conditions } from './conditions.js';
import { replaceSection, section } from './page.js';
import { repositoryRoot } from './repository.js';

/** @param folder of the page. @default docs */
export function writeDocs(
  rows: readonly Comparison[],
  parts: readonly Part[],
  about: Conditions,
  folder: string = join(repositoryRoot(), 'docs'),
): void {
  const page = join(folder, 'benchmarks.md');
  const curves = pictures(rows);
  // First, so that a page without its markers stops everything.
  const text = replaceSection(readFileSync(page, 'utf8'), section(rows, parts, about, curves));
  mkdirSync(join(folder, 'benchmarks'), { recursive: true });
  for (const { file, svg } of curves) {
    const path = join(folder, 'benchmarks', file);
    if (svg === undefined) rmSync(path, { force: true });
    else writeFileSync(path, svg);
  }
  writeFileSync(page, text);
}
