// Specs wait for signals, never for time: a sleep is either too short on a busy machine or too long everywhere else.
// libs/testing is exempt, because virtual clocks and fault wrappers are made of timers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, sourceFiles } from './source-files.mjs';

const FORBIDDEN = [
  [/(?<!jest\.)\b(?:setTimeout|setInterval)\b/, 'a real timer'],
  [/\b(?:sleep|delayFor|waitMs)\s*\(/, 'a sleep'],
  [/['"](?:node:)?timers(?:\/promises)?['"]/, 'an import of timers'],
];

let problems = 0;
const specs = sourceFiles('src', 'libs', 'test').filter(
  (path) => path.endsWith('.spec.ts') && !path.startsWith('libs/testing/'),
);
for (const file of specs) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    if (/^\s*(?:\/\/|\*)/.test(line)) continue;
    const hit = FORBIDDEN.find(([pattern]) => pattern.test(line));
    if (!hit) continue;
    problems++;
    console.error(`${file}:${index + 1}: ${hit[1]} in a spec; wait for a signal instead: ${line.trim()}`);
  }
}
console.log(`specs: ${specs.length} files, ${problems} problems`);
process.exit(problems ? 1 : 0);
