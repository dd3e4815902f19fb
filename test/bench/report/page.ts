// The part of docs/benchmarks.md that a run writes: its own figures, and nothing by hand.
import type { Part } from '../scenario.js';
import { OWN_BAR, type Comparison } from '../verdict.js';
import type { Picture } from './charts.js';
import type { Conditions } from './conditions.js';
import { table } from './table.js';

const BEGIN = '<!-- written by the benchmark: begin -->';
const END = '<!-- written by the benchmark: end -->';

/** @throws when the page does not have both markers, in order, once each */
export function replaceSection(page: string, text: string): string {
  const [before, rest, ...more] = page.split(BEGIN);
  const [, after, ...again] = rest?.split(END) ?? [];
  if (after === undefined || more.length + again.length > 0 || before!.includes(END))
    throw new Error(`the page needs one "${BEGIN}" and one "${END}" after it`);
  return `${before}${BEGIN}\n\n${text.trim()}\n\n${END}${after}`;
}

/** @param parts of all scenarios, for titles and for what a bar means */
export function section(
  rows: readonly Comparison[],
  parts: readonly Part[],
  about: Conditions,
  curves: readonly Picture[],
): string {
  const warmUp = 'after a round that only warms up';
  return [
    `## Figures of ${about.date}`,
    `Machine: ${about.machine}.`,
    `Versions: ${about.versions.join(', ')}.`,
    `Medians of ${about.rounds} rounds ${warmUp}; ours and theirs in turn. Redis without persistence where the scenario does ` +
      'not say otherwise, transport dedup on, 200-byte body; a peer on a server of its own keeps its messages as said below.',
    ...settings(rows),
    verdicts(rows),
    table(
      ['scenario', 'ours', 'peer', 'theirs', 'unit', 'ours / theirs', 'bar', ''],
      rows.map((row, index) => cells(row, rows[index - 1], parts)),
    ),
    ...curves.flatMap(({ file, title, svg }) => (svg === undefined ? [] : [`![${title}](benchmarks/${file})`])),
  ].join('\n\n');
}

/** Each setting once, however many scenarios have it. */
function settings(rows: readonly Comparison[]): string[] {
  const lines = new Set(rows.flatMap((row) => (row.settings ? [`- ${row.peer}: ${row.settings}`] : [])));
  return lines.size > 0 ? [[...lines].join('\n')] : [];
}

function verdicts(rows: readonly Comparison[]): string {
  const judged = rows.filter(({ met }) => met !== undefined);
  const missed = judged.filter(({ met }) => !met).map(({ scenario, peer }) => `${scenario} against ${peer}`);
  const without = rows.filter(({ theirs }) => theirs === null).length;
  const skipped = without === 0 ? '' : ` ${without} comparisons could not be made; the table says why.`;
  const list = missed.length === 0 ? '' : ` Missed: ${missed.join('; ')}.`;
  return `**${judged.length - missed.length} of ${judged.length} bars met.**${list}${skipped}`;
}

/** The scenario and our figure stand in the first of its rows only. */
function cells(row: Comparison, before: Comparison | undefined, parts: readonly Part[]): string[] {
  const part = parts.find(({ id }) => id === row.scenario);
  const isFirst = before?.scenario !== row.scenario;
  return [
    isFirst ? `${row.scenario} ${part?.title ?? ''}`.trim() : '',
    isFirst ? figure(row.ours) : '',
    row.peer === OWN_BAR ? 'absolute bar' : row.peer,
    figure(row.theirs),
    row.unit,
    row.ratio === null ? '–' : `${row.ratio.toFixed(2)} ×`,
    row.bar === undefined ? '' : `${part?.lowerIsBetter ? '≤' : '≥'} ${row.bar} ×`,
    outcome(row),
  ];
}

function outcome({ met, skipped, failed }: Comparison): string {
  if (skipped !== undefined) return `skipped: ${skipped}`;
  if (failed !== undefined) return `failed: ${failed}`;
  return met === undefined ? '' : met ? 'met' : '**missed**';
}

function figure(value: number | null): string {
  return value === null ? '–' : value.toLocaleString('en-US');
}
