// docs/other-peoples-bugs.md names a test for each bug: every one of them must exist, in the file it is said to be in.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/other-peoples-bugs.md'), 'utf8');
const rows = [...page.matchAll(/^\| (.+?) +\| `([^`]+\.ts)` +\| (.+?) +\|$/gm)].map(
  ([, bug, file, name]) => [bug!, file!, name!] as const,
);

describe('the list of bugs of others', () => {
  it('has a row for each line of the design page', () => expect(rows.length).toBeGreaterThanOrEqual(15));

  it.each(rows)('%s: its test is in %s', (_, file, name) => {
    const text = readFileSync(join(root, file), 'utf8');
    expect(text.includes(`'${name}'`) || text.includes(`"${name}"`)).toBe(true);
  });
});
