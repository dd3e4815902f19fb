// docs/guarantees.md names mechanism and test of each promise: all of them must exist, where they are said to be.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/guarantees.md'), 'utf8');
const table = page
  .slice(page.indexOf('## Every promise'))
  .split('\n')
  .filter((line) => line.startsWith('| '));
const rows = table
  .slice(2)
  .map((line) => line.split(' | ').map((cell) => cell.replaceAll(/^\| *| *\|?$|^ +| +$/g, '')))
  .map((cells) => ({ cells, what: cells[0]!, mechanism: bare(cells[3]), file: bare(cells[4]), test: cells[5]! }));

function bare(cell = ''): string {
  return cell.replaceAll('`', '');
}

/** Of the design page: each of them is promised something. */
const SUBJECTS = [
  ['delivery', 'topic', 'routing', 'transport dedup', 'business dedup', 'cancel', 'unknown', 'delay levels'],
  ['arbitrary delay', 'retry', 'back-off', 'ordered', 'dead letter', 'handler time-out', 'lease', 'tags', 'broadcast'],
  ['start', 'durability', 'retention', 'maxLength', 'ttl', 'limits', 'outbox', 'inbox', 'fence', 'idempotent listener'],
  ['shutdown', 'upkeep', 'wire format', 'bad input', 'half messages', 'recurring'],
].flat();

describe('the page of guarantees', () => {
  it('has a line for each subject', () => {
    expect([...new Set(rows.map(({ what }) => what))].toSorted()).toEqual(SUBJECTS.toSorted());
  });

  it.each(rows)('$what: $test', ({ cells, mechanism, file, test }) => {
    expect(cells).toHaveLength(6);
    expect(existsSync(join(root, mechanism))).toBe(true);
    expect(file).toMatch(/\.(spec|cases)\.ts$/);
    const text = readFileSync(join(root, file), 'utf8');
    expect(["'", '"', '`'].some((quote) => text.includes(`${quote}${test}${quote}`))).toBe(true);
  });
});
