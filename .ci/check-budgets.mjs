// Keeps files small and the house rules that no linter knows. Prints the figures, so that drift is seen before it fails.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root, sourceFiles, sourceFolders } from './source-files.mjs';

const MAX_TS_LINES = 400;
const MAX_LUA_LINES = 80;
const MAX_MEDIAN = 60;
const MAX_P90 = 200;
// A folder per kind of thing says nothing about what the product does.
const FOLDERS_BY_KIND = new Set(['utils', 'common', 'helpers', 'interfaces', 'types']);

const problems = [];
const read = (file) => readFileSync(join(root, file), 'utf8');
const lineCount = (text) => text.split('\n').length - (text.endsWith('\n') ? 1 : 0);

const files = sourceFiles('src', 'libs', 'test').map((file) => ({ file, text: read(file) }));
const typescript = files.filter(({ file }) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
const lua = files.filter(({ file }) => file.endsWith('.lua'));
const librarySource = typescript.filter(
  ({ file }) => /^libs\/[^/]+\/src\//.test(file) && !file.endsWith('.spec.ts') && basename(file) !== 'index.ts',
);

for (const { file, text } of typescript) {
  if (lineCount(text) > MAX_TS_LINES) problems.push(`${file}: ${lineCount(text)} lines, at most ${MAX_TS_LINES}`);
}
for (const { file, text } of lua) {
  if (lineCount(text) > MAX_LUA_LINES && !/^libs\/[^/]+\/lua\/shared\//.test(file)) {
    problems.push(`${file}: ${lineCount(text)} lines, at most ${MAX_LUA_LINES}`);
  }
  for (const line of positionalInputs(text)) {
    problems.push(`${file}:${line}: KEYS[ or ARGV[ below the lines that name the inputs`);
  }
}
for (const folder of ['src', 'libs', 'test'].flatMap((top) => [...sourceFolders(top)])) {
  if (FOLDERS_BY_KIND.has(basename(folder)))
    problems.push(`${folder}: name the folder after its subject, not its kind`);
}
for (const { file, text } of typescript) {
  if (file.startsWith('libs/') && /^\s*export\s+(?:type\s+)?\*/m.test(text)) {
    problems.push(`${file}: export names one by one, not export *`);
  }
  const mayHoldKeys = file === 'libs/redis/src/keys.ts' || file.startsWith('test/') || file.endsWith('.spec.ts');
  if (!mayHoldKeys && /`\{\$\{|['"]\{['"]\s*\+/.test(text)) {
    problems.push(`${file}: a Redis key is spelled here; keys are spelled in libs/redis/src/keys.ts only`);
  }
}

const sizes = librarySource.map(({ text }) => lineCount(text)).toSorted((a, b) => a - b);
const median = quantile(0.5);
const p90 = quantile(0.9);
if (median > MAX_MEDIAN) problems.push(`median of the library files is ${median} lines, at most ${MAX_MEDIAN}`);
if (p90 > MAX_P90) problems.push(`90th percentile of the library files is ${p90} lines, at most ${MAX_P90}`);

for (const problem of problems) console.error(problem);
const luaMax = Math.max(0, ...lua.map(({ text }) => lineCount(text)));
console.log(
  `budgets: ${sizes.length} library files, median ${median}, p90 ${p90}, max ${sizes.at(-1) ?? 0} lines; ` +
    `${typescript.length} TypeScript files in all; ${lua.length} Lua files, max ${luaMax} lines; ${problems.length} problems`,
);
process.exit(problems.length ? 1 : 0);

function quantile(share) {
  return sizes[Math.max(0, Math.ceil(sizes.length * share) - 1)] ?? 0;
}

/** Line numbers of KEYS[ / ARGV[ after the opening `local … = …` statements that give every input its name. */
function positionalInputs(text) {
  const found = [];
  let naming = true;
  let open = false; // the statement goes on in the next line
  for (const [index, line] of text.split('\n').entries()) {
    const code = line.replace(/--.*$/, '').trim();
    if (code === '') continue;
    if (naming && !open && !(code.startsWith('local ') && (/\b(?:KEYS|ARGV)\b/.test(code) || /[=,]$/.test(code)))) {
      naming = false;
    }
    open = /[=,({]$/.test(code);
    if (!naming && /\b(?:KEYS|ARGV)\s*\[/.test(code)) found.push(index + 1);
  }
  return found;
}
