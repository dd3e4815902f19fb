// Adds up the lines {suite, passed, failed, skipped} of a counts file. `--failed` prints only the number of failures.
import { readFileSync } from 'node:fs';

const [file, flag] = process.argv.slice(2);
const lines = readFileSync(file, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));
const sum = (name) => lines.reduce((total, counts) => total + counts[name], 0);
if (flag === '--failed') {
  console.log(sum('failed'));
} else {
  for (const { suite, passed, failed, skipped } of lines) {
    console.log(`${suite}: ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  }
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${sum('skipped') ? `, ${sum('skipped')} skipped` : ''}`);
}
