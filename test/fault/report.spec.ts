import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeRows } from './report.js';

const PAGE = `# Reliability

<!-- rows: written by \`npm run test:fault -- --write-docs\` -->
<!-- end of rows -->

After.
`;

describe('the table of the fault runs', () => {
  let folder: string;
  let page: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-fault-spec-'));
    page = join(folder, 'reliability.md');
    writeFileSync(page, PAGE);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const row = (scenario: string, skipped: string) => ({ scenario, title: 'title', skipped });
  const names = (): string[] => readFileSync(page, 'utf8').match(/^\| T\d+[A-Z]?/gm) ?? [];

  it('is written into its section, in order, and leaves the rest of the page alone', () => {
    writeRows(page, [row('T10', 'why'), row('T2', 'why')]);
    expect(names()).toEqual(['| T2', '| T10']);
    expect(readFileSync(page, 'utf8')).toMatch(/^# Reliability\n[^]*\nAfter\.\n$/);
  });

  it('keeps variants of a scenario apart, behind the plain one, whatever is run again', () => {
    writeRows(page, [row('T12M', 'old'), row('T10', 'why'), row('T9R', 'why'), row('T12', 'plain'), row('T9', 'why')]);
    expect(names()).toEqual(['| T9', '| T9R', '| T10', '| T12', '| T12M']);
    writeRows(page, [row('T12M', 'new')]);
    writeRows(page, [row('T13', 'why')]);
    expect(names()).toEqual(['| T9', '| T9R', '| T10', '| T12', '| T12M', '| T13']);
    const text = readFileSync(page, 'utf8');
    expect(text).toContain('skipped: plain');
    expect(text).toContain('skipped: new');
    expect(text).not.toContain('skipped: old');
  });

  it('replaces the rows that were run again, and keeps the others', () => {
    writeRows(page, [row('T1', 'old'), row('T2', 'kept')]);
    writeRows(page, [row('T1', 'new')]);
    const text = readFileSync(page, 'utf8');
    expect(names()).toEqual(['| T1', '| T2']);
    expect(text).toContain('skipped: new');
    expect(text).toContain('skipped: kept');
    expect(text).not.toContain('skipped: old');
  });

  it('refuses a page without the section', () => {
    writeFileSync(page, '# Reliability\n');
    expect(() => writeRows(page, [])).toThrow('has no line');
  });
});
