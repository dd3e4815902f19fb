import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeFindings } from './page.js';

const SEEN = { seed: 7, day: '2026-01-01', cores: 2, node: 'v20', redis: '7.0.15', minutes: 5.25 };

describe('the table of docs/capacity.md', () => {
  let folder: string;
  let page: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-scale-spec-'));
    page = join(folder, 'capacity.md');
    writeFileSync(
      page,
      'Before.\n\n<!-- findings: written by `npm run scale -- --write-docs` -->\n<!-- end of findings -->\n\nAfter.\n',
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const finding = (part: string, measured: number) => ({
    part,
    what: `what | ${part}`,
    measured,
    limit: 20,
    unit: 'ms',
  });
  const text = (): string => readFileSync(page, 'utf8');

  it('has a line for each finding, with its verdict, and leaves the rest of the page alone', () => {
    writeFindings(page, [finding('a', 2.71), finding('b', 21)], SEEN);
    expect(text()).toContain('| a | what \\| a | 2.71 ms | 20 ms | held |');
    expect(text()).toContain('| b | what \\| b | 21 ms | 20 ms | **BROKEN** |');
    expect(text()).toMatch(/^Before\.\n[^]*seed 7, 5\.3 min\.[^]*\nAfter\.\n$/);
  });

  it('keeps the lines of parts that were not run again, and no others', () => {
    writeFindings(page, [finding('a', 1), finding('b', 2)], SEEN);
    writeFindings(page, [finding('b', 3)], SEEN);
    expect(text().match(/^\| [ab] .*ms \| 20 ms/gm)).toEqual([
      '| a | what \\| a | 1 ms | 20 ms',
      '| b | what \\| b | 3 ms | 20 ms',
    ]);
  });

  it('says which section a page lacks', () => {
    writeFileSync(page, 'nothing');
    expect(() => writeFindings(page, [], SEEN)).toThrow('npm run scale');
  });
});
