// The findings as the table of docs/capacity.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { format, holds, type Finding } from './claim.js';

const BEGIN = '<!-- findings: written by `npm run scale -- --write-docs` -->';
const END = '<!-- end of findings -->';

export interface Circumstances {
  readonly seed: number;
  /** ISO date. */
  readonly day: string;
  readonly cores: number;
  readonly node: string;
  readonly redis: string;
  readonly minutes: number;
}

/** Puts the findings into the marked section of the page. Parts that were not run keep their lines. */
export function writeFindings(page: string, findings: readonly Finding[], seen: Circumstances): void {
  const text = readFileSync(page, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${page} has no section ${BEGIN} … ${END}`);
  const run = new Set(findings.map(({ part }) => part));
  const kept = text
    .slice(begin, end)
    .split('\n')
    .filter((old) => old.startsWith('| ') && !old.startsWith('| -') && !/^\| part +\|/.test(old))
    .filter((old) => !run.has(old.split('|')[1]!.trim()));
  const rows = [...kept, ...findings.map(row)];
  const { seed, day, cores, node, redis, minutes } = seen;
  const how = `${day}, ${cores} cores, Redis ${redis} with its own settings, Node ${node}, seed ${seed}, ${minutes.toFixed(1)} min.`;
  const section = [BEGIN, '', how, '', ...HEAD, ...rows, '', END].join('\n');
  writeFileSync(page, text.slice(0, begin) + section + text.slice(end + END.length));
}

const HEAD = ['| part | what | measured | limit | | beside |', '| --- | --- | --: | --: | --- | --- |'];

function row(finding: Finding): string {
  const { part, what, measured, limit, unit, beside = {} } = finding;
  const figures = Object.entries(beside).map(
    ([name, value]) => `${name}: ${typeof value === 'number' ? format(value) : value}`,
  );
  const cells = [
    part,
    what,
    `${format(measured)} ${unit}`.trim(),
    `${format(limit)} ${unit}`.trim(),
    holds(finding) ? 'held' : '**BROKEN**',
    figures.join('; '),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
