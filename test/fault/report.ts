// Rows for people: a line each on the screen, and the table of docs/reliability.md.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Row, SkippedRow } from './row.js';

const BEGIN = '<!-- rows: written by `npm run test:fault -- --write-docs` -->';
const END = '<!-- end of rows -->';

export const isSkipped = (row: Row | SkippedRow): row is SkippedRow => 'skipped' in row;

export function line(row: Row | SkippedRow): string {
  if (isSkipped(row)) return `${row.scenario.padEnd(4)} skipped: ${row.skipped}`;
  const { scenario, messages, faults, lost, unexpected, duplicated, effects, longestStallMs, seconds, violations } =
    row;
  const figures = [
    `${messages} messages`,
    `${row.unknown} unknown`,
    `${row.refused} refused`,
    `${faults} faults`,
    `${lost} lost`,
    `${row.forgotten} forgotten`,
    `${unexpected} unexpected`,
    `${duplicated} duplicated`,
    `${effects} effects`,
    `${row.leasesLost} leases lost`,
    `stall ${longestStallMs} ms`,
    `drained ${row.drainedMs ?? '–'} ms`,
    ...Object.entries(row.figures).map(([name, value]) => `${name} ${value}`),
    `${seconds} s`,
  ];
  const verdict = violations.length === 0 ? 'held  ' : 'BROKEN';
  return `${scenario.padEnd(4)} ${verdict} ${figures.join(', ')}${violations.map((text) => `\n        ${text}`).join('')}`;
}

/** Puts the rows into the marked section of the page; the other rows of the page stay. */
export function writeRows(page: string, rows: readonly (Row | SkippedRow)[]): void {
  const text = readFileSync(page, 'utf8');
  const [before, rest] = split(text, BEGIN, page);
  const [old, after] = split(rest, END, page);
  const kept = new Map(old.split('\n').flatMap((row) => (/^\| T\d/.test(row) ? [[idOf(row), row] as const] : [])));
  for (const row of rows) kept.set(row.scenario, tableRow(row));
  const sorted = [...kept].toSorted(([a], [b]) => inOrder(a, b));
  writeFileSync(page, `${before}${BEGIN}\n\n${HEAD}\n${sorted.map(([, row]) => row).join('\n')}\n\n${END}${after}`);
}

const HEAD = `| scenario | messages | faults | lost | unexpected | duplicated | effects | longest stall | seed | notes |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --- |`;

const count = (value: number): string => value.toLocaleString('en');

function tableRow(row: Row | SkippedRow): string {
  const name = `${row.scenario} ${row.title}`;
  if (isSkipped(row)) return `| ${name} | – | – | – | – | – | – | – | – | skipped: ${row.skipped} |`;
  const { messages, faults, lost, unexpected, duplicated, effects, longestStallMs, seed, figures, violations } = row;
  const notes = Object.entries(figures).map(([what, value]) => `${what}: ${value}`);
  if (row.forgotten > 0) notes.push(`${count(row.forgotten)} forgotten, as allowed`);
  if (row.unknown > 0) notes.push(`${count(row.unknown)} of unknown fate`);
  if (row.refused > 0) notes.push(`${count(row.refused)} refused`);
  if (violations.length > 0) notes.unshift(`**BROKEN**: ${violations[0]}`);
  const cells = [
    name,
    ...[messages, faults, lost, unexpected, duplicated].map(count),
    effects > 0 ? count(effects) : '–',
    `${count(longestStallMs)} ms`,
    String(seed),
    notes.join('; '),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** With the letter that tells variants of a scenario apart: T12 and T12M have a row each. */
const idOf = (row: string): string => /^\| (T\d+[A-Z]?)/.exec(row)![1]!;

function inOrder(a: string, b: string): number {
  return Number.parseInt(a.slice(1), 10) - Number.parseInt(b.slice(1), 10) || (a < b ? -1 : 1);
}

function split(text: string, at: string, page: string): [string, string] {
  const index = text.indexOf(at);
  if (index < 0) throw new Error(`${page} has no line ${at}`);
  return [text.slice(0, index), text.slice(index + at.length)];
}
